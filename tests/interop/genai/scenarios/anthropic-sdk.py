"""The Anthropic client's own tracing: it begins when the application has a tracer provider."""

import anthropic_cases
from scene import case, tracing

tracing()
anthropic_cases.play(case())
