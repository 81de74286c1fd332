# SPDX-License-Identifier: Apache-2.0
"""What devices and hawkBit say to each other, case by case: held against a real server and the simulated one.

Each conversation is a function of an operator and a device of its own; what the device writes down is the
result. `tests/hawkbit/recorded` holds what hawkBit 1.0.4 answered.
"""

from smartcockpit_bench.hawkbit.conversations import bundles, cancels, door, feedback, kinds
from smartcockpit_bench.hawkbit.conversations.words import CONVERSATIONS, NAME, Operator, hold

__all__ = ["CONVERSATIONS", "NAME", "Operator", "bundles", "cancels", "door", "feedback", "hold", "kinds"]
