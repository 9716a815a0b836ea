// Codex, asked one question.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { inPackage, run, toolRan } from "./javascript/program.mjs";
import { CASE, fake, MODELS, PROMPTS } from "./javascript/scene.mjs";

// A tool of its own that needs nothing.
const TOOL = "get_goal";
const prompts = { ...PROMPTS, tools: `Use ${TOOL}.`, spans: PROMPTS.chat };
const exporter = (signal) =>
  `{ otlp-http = { endpoint = "${process.env.OTEL_EXPORTER_OTLP_ENDPOINT}/v1/${signal}", protocol = "binary" } }`;
const home = `${process.env.HOME}/.codex`;
mkdirSync(home);
// By default it exports no spans.
writeFileSync(
  `${home}/config.toml`,
  `model = "${MODELS.openai_reasoning}"
model_provider = "fake"
check_for_update_on_startup = false

[model_providers.fake]
name = "fake"
base_url = "${fake("/v1")}"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0

[analytics]
enabled = false

[otel]
log_user_prompt = ${CASE !== "no_content"}
exporter = ${exporter("logs")}
trace_exporter = ${CASE === "spans" ? exporter("traces") : '"none"'}
metrics_exporter = "none"
`,
);
const vendor = inPackage(`@openai/codex-${process.platform}-${process.arch}/vendor`);
const [target] = readdirSync(vendor);
// After a failed call it ends without a flush.
const environment = { OTEL_BLRP_SCHEDULE_DELAY: "1" };
run(`${vendor}/${target}/bin/codex`, ["exec", "--skip-git-repo-check", prompts[CASE]], environment);
if (CASE === "tools") toolRan(TOOL, {}, '{"goal":null,"remainingTokens":null,"completionBudgetReport":null}');
