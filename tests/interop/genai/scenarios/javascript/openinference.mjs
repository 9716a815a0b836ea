// What the scenarios of OpenInference share.

import { setSession, setUser } from "@arizeai/openinference-core";
import { context } from "@opentelemetry/api";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { CASE, SESSION, USER } from "./scene.mjs";
import { startTracing } from "./tracing.mjs";

/** The configuration of an instrumentation in this case. */
export const traceConfig = CASE === "no_content" ? { hideInputs: true, hideOutputs: true } : {};

/** Starts tracing with an instrumentation. */
export function start(instrumentation) {
  const provider = startTracing();
  registerInstrumentations({ instrumentations: [instrumentation], tracerProvider: provider });
  return provider;
}

/** The cases, with session and user set as OpenInference wants it. */
export function withSession(cases) {
  const within = setUser(setSession(context.active(), { sessionId: SESSION }), { userId: USER });
  return { ...cases, session: () => context.with(within, cases.session) };
}
