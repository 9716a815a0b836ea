"""Starts Traceloop's SDK, which brings OpenLLMetry's instrumentations."""

import os

# It would report to its makers that it was used.
os.environ["TRACELOOP_TELEMETRY"] = "false"
os.environ["TRACELOOP_METRICS_ENABLED"] = "false"

from traceloop.sdk import Traceloop

from scene import SESSION, USER, case, span_exporter


def start(*instruments):
    """Instruments these and no others; says who asks if the case wants that."""
    if case() == "no_content":
        os.environ["TRACELOOP_TRACE_CONTENT"] = "false"
    Traceloop.init(app_name="genai-fixture", exporter=span_exporter(), instruments=set(instruments))
    if case() == "session":
        Traceloop.set_association_properties({"session_id": SESSION, "user_id": USER, "plan": "pro"})
