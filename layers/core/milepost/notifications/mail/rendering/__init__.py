"""Notices as mails: in the recipient's language, as plain text and as HTML.

Names, notes and reasons come from outside. They are values, never templates; HTML is escaped, and
values in headers are one line.
"""
