"""Logfire on the OpenAI client. Logfire exports to any OTLP endpoint that the environment names."""

import logfire

import openai_cases
from scene import case

logfire.configure(send_to_logfire=False, console=False)
logfire.instrument_openai()
with logfire.span("answer"):
    openai_cases.play(case())
