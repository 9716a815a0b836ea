"""Logfire on the Anthropic client. Logfire exports to any OTLP endpoint that the environment names."""

import logfire

import anthropic_cases
from scene import case

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_anthropic()
with logfire.span("answer"):
    anthropic_cases.play(case())
