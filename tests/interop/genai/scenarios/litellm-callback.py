"""LiteLLM's own OpenTelemetry callback in its first version, the default."""

from litellm_cases import litellm, play
from scene import case

litellm.callbacks = ["otel"]
litellm.turn_off_message_logging = case() == "no_content"
play(case())
