// What the scenarios of OpenLLMetry share: Traceloop's SDK, set up as its documentation says for ES modules.

import * as traceloop from "@traceloop/node-server-sdk";
import { AGENT, CASE, PROMPTS, SESSION, TOOL, USER } from "./scene.mjs";

/** Starts the SDK with the modules that it shall instrument. */
export function start(instrumentModules) {
  traceloop.initialize({
    appName: process.env.OTEL_SERVICE_NAME,
    apiKey: "fake",
    baseUrl: process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
    instrumentModules,
    traceContent: CASE !== "no_content",
    traceloopSyncEnabled: false,
    silenceInitializationMessage: true,
  });
}

/**
 * The cases, with Traceloop's own spans and associations where a case wants them. `ask(prompt, runTool)` asks for the
 * weather.
 */
export function withTraceloop(cases, ask) {
  const { AssociationProperty, withAgent, withAssociationProperties, withTool, withWorkflow } = traceloop;
  const who = { [AssociationProperty.SESSION_ID]: SESSION, [AssociationProperty.USER_ID]: USER };
  const runTool = (run, input) => withTool({ name: TOOL.name }, async (told) => run(told), input);
  return {
    ...cases,
    session: () => withAssociationProperties(who, () => withWorkflow({ name: "answer" }, cases.session)),
    agent: () => withAgent({ name: AGENT }, (prompt) => ask(prompt, runTool), PROMPTS.agent),
  };
}

export const flush = () => traceloop.forceFlush();
