"""Operations: quarantine, dead letters, replays, erasure."""
