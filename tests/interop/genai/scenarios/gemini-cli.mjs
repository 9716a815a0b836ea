// Gemini CLI, asked one question.

import { mkdirSync, writeFileSync } from "node:fs";
import { inPackage, run, toolRan } from "./javascript/program.mjs";
import { CASE, fake, MODELS, PROMPTS, SYSTEM } from "./javascript/scene.mjs";

// A tool of its own that needs nothing and finds nothing.
const TOOL = "glob";
const prompts = {
  ...PROMPTS,
  tools: `Use ${TOOL} to find Paris.`,
  // It tries again, for minutes, when it is told 429.
  error: `${PROMPTS.error} Say 400.`,
};
const settings = {
  telemetry: {
    enabled: true,
    target: "local",
    otlpEndpoint: process.env.OTEL_EXPORTER_OTLP_ENDPOINT,
    otlpProtocol: "http",
    logPrompts: CASE !== "no_content",
  },
  tools: { core: [TOOL] },
  security: { auth: { selectedType: "gemini-api-key" } },
  privacy: { usageStatisticsEnabled: false },
  general: { disableAutoUpdate: true, disableUpdateNag: true },
};
const home = process.env.HOME;
mkdirSync(`${home}/.gemini`);
writeFileSync(`${home}/.gemini/settings.json`, JSON.stringify(settings));
writeFileSync(`${home}/system.md`, SYSTEM);
const environment = {
  GEMINI_API_KEY: "fake",
  GEMINI_CLI_NO_RELAUNCH: "true",
  // Its own system prompt is long.
  GEMINI_SYSTEM_MD: `${home}/system.md`,
  GOOGLE_GEMINI_BASE_URL: fake(),
  OTEL_NODE_RESOURCE_DETECTORS: "env",
};
const program = inPackage("@google/gemini-cli/bundle/gemini.js");
run("node", [program, "-p", prompts[CASE], "-m", MODELS.google, "--skip-trust"], environment);
if (CASE === "tools") toolRan(TOOL, { pattern: "Paris" }, 'No files found matching pattern "Paris"');
