"""The Anthropic client's own tracing: it begins when the application has a tracer provider."""

import os

import anthropic_cases
from scene import case, tracing

if case().endswith("_with_content"):
    os.environ["ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"] = "content"
tracing()
anthropic_cases.play(case().removesuffix("_with_content"))
