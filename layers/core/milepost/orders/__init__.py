"""Orders: reports, timeline, lifecycle, deadlines, announcements."""
