"""The part ``activity`` of the command, and recording what the command itself changes."""
