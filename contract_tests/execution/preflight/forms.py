"""Forms of a create: which of them the target needs, and what that says about the plain one."""

from dataclasses import replace

from contract_tests.cases.callers import Caller
from contract_tests.cases.value_templates import SlugFactory
from contract_tests.contract.property_rules import find_omission_rule
from contract_tests.execution.executor import Executor
from contract_tests.execution.preflight.plain_creates import call_violated, create_surely
from contract_tests.execution.sending.create_forms import PLAIN, CreateForm
from contract_tests.results.observation import Observation


def use_form(executor: Executor, form: CreateForm) -> None:
    """Let an executor write its creates in a form."""
    executor.sender.form = form
    if form.slug_prefix:
        executor.controls.slugs = SlugFactory(form.slug_prefix)


def confirm_form(
    executor: Executor, caller: Caller, form: CreateForm
) -> tuple[CreateForm, tuple[Observation, ...]]:
    """Try the plain form once more; if it is still refused, return the smallest form accepted, and that refusal."""
    use_form(executor, PLAIN)
    able, plain = create_surely(executor, caller)
    if able is not None:
        return PLAIN, ()
    needed = dict(form.extra)
    for name in form.extra if len(form.extra) > 1 else ():
        fewer = {key: value for key, value in needed.items() if key != name}
        use_form(executor, replace(form, extra=fewer))
        if create_surely(executor, caller)[0] is not None:
            needed = fewer
    if len(form.extra) > 1 and needed:
        missing = next(iter(needed))
        rule = find_omission_rule("createContainer", missing)
        form = replace(form, name=f"with {' and '.join(needed)}", rule=rule, extra=needed)
    reason = f"refused a plain create, which it accepts {form.name}"
    return form, (call_violated(plain, form.rule, reason),)
