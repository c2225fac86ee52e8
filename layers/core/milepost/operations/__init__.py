"""Operations: dead letters and erasure, for the API and the command."""
