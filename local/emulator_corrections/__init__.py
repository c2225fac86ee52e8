"""Corrections where ministack, the emulator, differs from AWS in ways that would hide mistakes."""
