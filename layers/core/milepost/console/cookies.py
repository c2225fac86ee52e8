"""The attributes of the console's cookies. Short: signing in and flash messages share it."""


def secure_cookie(name: str, value: str, *, seconds: int) -> str:
    """A cookie for only this origin, hidden from scripts. Zero seconds remove it."""
    return f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"
