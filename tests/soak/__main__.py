"""``python -m tests.soak``: a soak on a local stack of its own, and its report.

Exit code 1 when anything was lost or doubled, or an order is not what its provider says.
"""

import argparse
import random
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from local.connections import connections_file
from local.files import Places
from local.stack import running_stack
from tests.soak.report import has_failed, print_report
from tests.soak.soak import Plan, Soak


def main() -> int:
    options = _read_options()
    plan = Plan(
        changes=options.changes,
        seconds=options.seconds,
        seed=options.seed,
        kill_every_seconds=options.kill_every,
        patience_seconds=options.patience,
        with_people=options.people,
    )
    print(f"soak: {plan.changes} changes within {plan.seconds:.0f} s, seed {plan.seed}", flush=True)
    with ExitStack() as closing:
        state = options.state or Path(closing.enter_context(tempfile.TemporaryDirectory()))
        places = Places(state)
        stack = closing.enter_context(running_stack(places=places))
        soak = Soak(stack=stack, plan=plan, connections_file=connections_file(places))
        soak.run()
        print_report(soak, log=places.log_file)
        return 1 if has_failed(soak) else 0


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--changes", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=450, help="within which they are sent")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kill-every", type=float, default=15, help="seconds, on average")
    parser.add_argument("--patience", type=float, default=300, help="seconds to settle in")
    parser.add_argument("--people", action="store_true", help="who declare and operate meanwhile")
    parser.add_argument("--state", type=Path, help="keep the stack's log in this directory")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
