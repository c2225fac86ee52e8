"""Guessing is limited for each address, in bounded memory."""

from milepost.tracking_page.guesses import MOST_ADDRESSES, MOST_GUESSES, WINDOW_SECONDS, Guesses


class Clock:
    """A clock that is set by hand."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_an_address_may_guess_ten_times_and_then_waits_while_others_may_go_on() -> None:
    clock = Clock()
    guesses = Guesses(clock=clock)
    for _ in range(MOST_GUESSES):
        assert not guesses.are_too_many("192.0.2.1")
        guesses.count("192.0.2.1")
    assert guesses.are_too_many("192.0.2.1")
    assert not guesses.are_too_many("192.0.2.2")
    clock.now += 200
    assert guesses.seconds_left("192.0.2.1") == WINDOW_SECONDS - 200
    clock.now += WINDOW_SECONDS - 200
    assert not guesses.are_too_many("192.0.2.1")


def test_memory_is_bounded_however_many_addresses_guess() -> None:
    guesses = Guesses(clock=Clock())
    for number in range(MOST_ADDRESSES + 50):
        guesses.count(str(number))
    assert len(guesses.windows) == MOST_ADDRESSES
    assert "0" not in guesses.windows
