"""Setting right what went wrong: quarantine, dead letters, replays, erasure."""
