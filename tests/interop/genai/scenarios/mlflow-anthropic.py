"""MLflow's autologging of the Anthropic client below a traced function, exported over OTLP as its guide says."""

import os

# With the endpoint of all signals the tracing package alone fails: for its metrics it asks a store that it lacks.
os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = os.environ.pop("OTEL_EXPORTER_OTLP_ENDPOINT") + "/v1/traces"

import mlflow
import mlflow.anthropic

import anthropic_cases
from scene import SESSION, USER, case, fake, get_weather

# Any server will do: all goes out over OTLP, but the tracing package alone has no store in files.
mlflow.set_tracking_uri(fake())
mlflow.anthropic.autolog()
anthropic_cases.get_weather = mlflow.trace(span_type="TOOL")(get_weather)


@mlflow.trace(span_type="AGENT" if case() == "agent" else "CHAIN")
def answer(name):
    if case() == "session":
        told = {"mlflow.trace.session": SESSION, "mlflow.trace.user": USER}
        mlflow.update_current_trace(metadata=told, tags={"plan": "pro"})
    anthropic_cases.play(name)
    return "done"


answer("tools" if case() == "agent" else case())
