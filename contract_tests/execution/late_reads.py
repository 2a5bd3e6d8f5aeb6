"""Late reads: the read-back of a deployment may come from a replica or a cache, and show a write after a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from contract_tests.cases.model import Step
from contract_tests.execution.sending.context import CaseContext
from contract_tests.execution.sending.sender import Sender
from contract_tests.results.judge import Judgement
from contract_tests.targets.base import NoResponse, Response

#: Seconds before each further read.
_WAITS = (0.05, 0.2, 0.5, 1.0)
#: Nothing is waited for once so many values stayed wrong and none was late.
_MAX_STAYED = 4


@dataclass(slots=True)
class LateReads:
    """Reads again what is wrong, until it is right or a wrong value has stayed; safe to use from several threads.

    ``count`` is the number of late values. What stayed wrong is known by its rule and property, and is not waited for
    again: others may still be late.
    """

    waits: Sequence[float] = _WAITS
    count: int = 0
    _stayed: set[tuple[str, str]] = field(default_factory=set)

    def judge(
        self,
        sender: Sender,
        context: CaseContext,
        step: Step,
        judge_response: Callable[[Response | NoResponse], Judgement],
    ) -> Judgement:
        """Send a read-back and return the judgement on the last one that decides, which alone the context keeps."""
        judgement = judge_response(sender.send_step(context, step))
        if judgement.outcome != "violated" or self._is_settled(judgement):
            return judgement
        for seconds in self.waits:
            sender.target.clock.wait(seconds)
            again = judge_response(sender.send_step(context, step))
            decides = again.outcome in ("violated", "passed")  # a read that fails takes nothing back
            del context.exchanges[-2 if decides else -1]
            judgement = again if decides else judgement
            if judgement.outcome == "passed":
                self.count += 1
                return judgement
        self._stayed |= _name_values(judgement)
        return judgement

    def _is_settled(self, judgement: Judgement) -> bool:
        none_is_late = not self.count and len(self._stayed) >= _MAX_STAYED
        return none_is_late or _name_values(judgement) <= self._stayed

    def describe(self) -> str:
        """Return in words how many values were late."""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return f"the read-back showed what was stored only when it was read again, {times}"


def _name_values(judgement: Judgement) -> set[tuple[str, str]]:
    return {(judgement.rule, name) for name, _, _ in judgement.differences}
