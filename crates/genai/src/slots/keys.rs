//! The attribute keys that readings look at, each a slot, and a hash table over them that the compiler builds.

/// Declares [`Slot`] and the keys. Keys below `llm` are used by LLM dialects only: one of them makes an LLM span. Keys
/// below `shared` are used by others too, or stand on spans below an LLM span: they are read and make none.
macro_rules! slots {
    (llm { $($slot:ident = $key:literal,)+ } shared { $($other:ident = $other_key:literal,)+ }) => {
        /// The place of an attribute that readings look at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub(crate) enum Slot {
            $($slot,)+
            /// Slots from here on are shared with spans that are no LLM spans.
            FirstShared,
            $($other,)+
        }

        /// Number of slots.
        pub(crate) const SLOTS: usize = SLOT.len();
        const SLOT: &[Slot] = &[$(Slot::$slot,)+ Slot::FirstShared, $(Slot::$other,)+];
        /// The key of each slot; one that no attribute has for the border between the two kinds.
        const KEYS: &[&str] = &[$($key,)+ "", $($other_key,)+];
    };
}

slots! {
    llm {
        // The mark of a span that we wrote.
        Native = "llm_observatory.dialect",
        // OpenTelemetry's GenAI conventions of every generation, and what dialects add to them.
        Operation = "gen_ai.operation.name",
        ProviderName = "gen_ai.provider.name",
        System = "gen_ai.system",
        RequestModel = "gen_ai.request.model",
        ResponseModel = "gen_ai.response.model",
        ResponseId = "gen_ai.response.id",
        ConversationId = "gen_ai.conversation.id",
        GenAiUser = "gen_ai.user",
        AgentName = "gen_ai.agent.name",
        AgentId = "gen_ai.agent.id",
        ToolName = "gen_ai.tool.name",
        ToolCallId = "gen_ai.tool.call.id",
        ToolStatus = "gen_ai.tool.status",
        PromptName = "gen_ai.prompt.name",
        PromptVersion = "gen_ai.prompt.version",
        RetrievalQuery = "gen_ai.retrieval.query.text",
        RetrievalDocuments = "gen_ai.retrieval.documents",
        InputMessages = "gen_ai.input.messages",
        OutputMessages = "gen_ai.output.messages",
        PromptText = "gen_ai.prompt",
        CompletionText = "gen_ai.completion",
        Temperature = "gen_ai.request.temperature",
        TopP = "gen_ai.request.top_p",
        TopK = "gen_ai.request.top_k",
        MaxTokens = "gen_ai.request.max_tokens",
        MaxCompletionTokens = "gen_ai.request.max_completion_tokens",
        Seed = "gen_ai.request.seed",
        OpenAiSeed = "gen_ai.openai.request.seed",
        StopSequences = "gen_ai.request.stop_sequences",
        FrequencyPenalty = "gen_ai.request.frequency_penalty",
        PresencePenalty = "gen_ai.request.presence_penalty",
        ChoiceCount = "gen_ai.request.choice.count",
        ChoiceN = "gen_ai.request.n",
        ReasoningEffort = "gen_ai.request.reasoning_effort",
        ReasoningLevel = "gen_ai.request.reasoning.level",
        Stream = "gen_ai.request.stream",
        IsStream = "gen_ai.request.is_stream",
        IsStreaming = "gen_ai.is_streaming",
        FinishReasons = "gen_ai.response.finish_reasons",
        FinishReason = "gen_ai.response.finish_reason",
        StopReason = "gen_ai.response.stop_reason",
        FirstCompletionFinishReason = "gen_ai.completion.0.finish_reason",
        TimeToFirstChunk = "gen_ai.response.time_to_first_chunk",
        ClientTimeToFirstChunk = "gen_ai.client.operation.time_to_first_chunk",
        ClientDuration = "gen_ai.client.operation.duration",
        ServerTimeToFirstToken = "gen_ai.server.time_to_first_token",
        OpenAiResponseTier = "openai.response.service_tier",
        OpenAiRequestTier = "openai.request.service_tier",
        OldOpenAiResponseTier = "gen_ai.openai.response.service_tier",
        OldOpenAiRequestTier = "gen_ai.openai.request.service_tier",
        ResponseTier = "gen_ai.response.service_tier",
        RequestTier = "gen_ai.request.service_tier",

        // Token counts of `gen_ai.*`.
        InputTokens = "gen_ai.usage.input_tokens",
        PromptTokens = "gen_ai.usage.prompt_tokens",
        OutputTokens = "gen_ai.usage.output_tokens",
        CompletionTokens = "gen_ai.usage.completion_tokens",
        TotalTokens = "gen_ai.usage.total_tokens",
        OpenLitTotal = "gen_ai.client.token.usage",
        CacheReadDotted = "gen_ai.usage.cache_read.input_tokens",
        CacheReadInput = "gen_ai.usage.cache_read_input_tokens",
        CacheRead = "gen_ai.usage.cache_read_tokens",
        CacheWriteDotted = "gen_ai.usage.cache_write.input_tokens",
        CacheCreationDotted = "gen_ai.usage.cache_creation.input_tokens",
        CacheCreationInput = "gen_ai.usage.cache_creation_input_tokens",
        CacheWriteInput = "gen_ai.usage.cache_write_input_tokens",
        CacheWrite = "gen_ai.usage.cache_write_tokens",
        ReasoningDotted = "gen_ai.usage.reasoning.output_tokens",
        Reasoning = "gen_ai.usage.reasoning_tokens",
        AudioInput = "gen_ai.usage.audio.input_tokens",
        AudioOutput = "gen_ai.usage.audio.output_tokens",
        ImageInput = "gen_ai.usage.image.input_tokens",
        ImageOutput = "gen_ai.usage.image.output_tokens",
        PromptDetailsCached = "gen_ai.usage.prompt_tokens_details.cached_tokens",
        PromptDetailsCacheRead = "gen_ai.usage.prompt_tokens_details.cache_read",
        PromptDetailsCacheCreation = "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
        PromptDetailsCacheWrite = "gen_ai.usage.prompt_tokens_details.cache_write",
        PromptDetailsAudio = "gen_ai.usage.prompt_tokens_details.audio_tokens",
        CompletionDetailsReasoning = "gen_ai.usage.completion_tokens_details.reasoning_tokens",
        CompletionDetailsAudio = "gen_ai.usage.completion_tokens_details.audio_tokens",
        DetailsInput = "gen_ai.usage.details.input_tokens",
        DetailsOutput = "gen_ai.usage.details.output_tokens",
        DetailsCacheRead = "gen_ai.usage.details.cache_read_tokens",
        DetailsCacheReadInput = "gen_ai.usage.details.cache_read_input_tokens",
        DetailsCached = "gen_ai.usage.details.cached_tokens",
        DetailsCachedContent = "gen_ai.usage.details.cached_content_tokens",
        DetailsCacheWrite = "gen_ai.usage.details.cache_write_tokens",
        DetailsCacheCreationInput = "gen_ai.usage.details.cache_creation_input_tokens",
        DetailsReasoning = "gen_ai.usage.details.reasoning_tokens",
        DetailsThoughts = "gen_ai.usage.details.thoughts_tokens",
        DetailsInputAudio = "gen_ai.usage.details.input_audio_tokens",
        DetailsOutputAudio = "gen_ai.usage.details.output_audio_tokens",
        InputTokenDetails = "gen_ai.usage.input_token_details",
        OutputTokenDetails = "gen_ai.usage.output_token_details",
        AnthropicCacheCreation1h = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        AnthropicCacheCreation5m = "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
        AnthropicStopReason = "anthropic.message.stop_reason",
        AnthropicTier = "anthropic.response.service_tier",
        UsageRaw = "gen_ai.usage.raw",
        UsageCost = "gen_ai.usage.cost",
        CostTotal = "gen_ai.cost.total_cost",

        // OpenInference.
        OpenInferenceKind = "openinference.span.kind",
        LlmModelName = "llm.model_name",
        LlmRequestModelName = "llm.request.model_name",
        LlmResponseModelName = "llm.response.model_name",
        LlmProvider = "llm.provider",
        LlmSystem = "llm.system",
        LlmInvocationParameters = "llm.invocation_parameters",
        LlmFinishReason = "llm.finish_reason",
        LlmPrompt = "llm.token_count.prompt",
        LlmCompletion = "llm.token_count.completion",
        LlmTotal = "llm.token_count.total",
        LlmCacheRead = "llm.token_count.prompt_details.cache_read",
        LlmCacheInput = "llm.token_count.prompt_details.cache_input",
        LlmCacheWrite = "llm.token_count.prompt_details.cache_write",
        LlmPromptAudio = "llm.token_count.prompt_details.audio",
        LlmReasoning = "llm.token_count.completion_details.reasoning",
        LlmCompletionAudio = "llm.token_count.completion_details.audio",
        LlmCostTotal = "llm.cost.total",
        LlmPromptTemplateVersion = "llm.prompt_template.version",
        EmbeddingModelName = "embedding.model_name",
        EmbeddingParameters = "embedding.invocation_parameters",
        RerankerModelName = "reranker.model_name",

        // OpenLLMetry.
        TraceloopKind = "traceloop.span.kind",
        TraceloopEntityName = "traceloop.entity.name",
        TraceloopEntityInput = "traceloop.entity.input",
        TraceloopPromptKey = "traceloop.prompt.key",
        TraceloopPromptVersion = "traceloop.prompt.version",
        LlmRequestType = "llm.request.type",
        LlmUsageTotal = "llm.usage.total_tokens",
        LlmUsageReasoning = "llm.usage.reasoning_tokens",
        LlmIsStreaming = "llm.is_streaming",
        LlmUser = "llm.user",
        LlmTemperature = "llm.temperature",
        LlmTopP = "llm.top_p",
        LlmTopK = "llm.top_k",
        LlmFrequencyPenalty = "llm.frequency_penalty",
        LlmPresencePenalty = "llm.presence_penalty",
        LlmStopSequences = "llm.chat.stop_sequences",
        LlmMaxTokens = "llm.request.max_tokens",
        LlmReasoningEffort = "llm.request.reasoning_effort",
        LlmResponseFinishReason = "llm.response.finish_reason",
        LlmResponseStopReason = "llm.response.stop_reason",

        // Vercel AI SDK.
        VercelOperationId = "ai.operationId",
        VercelFunctionId = "ai.telemetry.functionId",
        VercelUserId = "ai.telemetry.metadata.userId",
        VercelSessionId = "ai.telemetry.metadata.sessionId",
        VercelTags = "ai.telemetry.metadata.tags",
        VercelPrompt = "ai.telemetry.metadata.langfusePrompt",
        VercelContextUserId = "ai.settings.context.userId",
        VercelContextSessionId = "ai.settings.context.sessionId",
        VercelModelId = "ai.model.id",
        VercelModelProvider = "ai.model.provider",
        VercelResponseModel = "ai.response.model",
        VercelResponseId = "ai.response.id",
        VercelFinishReason = "ai.response.finishReason",
        VercelProviderMetadata = "ai.response.providerMetadata",
        VercelMsToFirstChunk = "ai.response.msToFirstChunk",
        VercelStreamMsToFirstChunk = "ai.stream.msToFirstChunk",
        VercelTemperature = "ai.settings.temperature",
        VercelMaxTokens = "ai.settings.maxTokens",
        VercelMaxOutputTokens = "ai.settings.maxOutputTokens",
        VercelTopP = "ai.settings.topP",
        VercelTopK = "ai.settings.topK",
        VercelSeed = "ai.settings.seed",
        VercelFrequencyPenalty = "ai.settings.frequencyPenalty",
        VercelPresencePenalty = "ai.settings.presencePenalty",
        VercelStopSequences = "ai.settings.stopSequences",
        VercelPromptTokens = "ai.usage.promptTokens",
        VercelCompletionTokens = "ai.usage.completionTokens",
        VercelInputTokens = "ai.usage.inputTokens",
        VercelOutputTokens = "ai.usage.outputTokens",
        VercelTotalTokens = "ai.usage.totalTokens",
        VercelEmbeddingTokens = "ai.usage.tokens",
        VercelReasoningTokens = "ai.usage.reasoningTokens",
        VercelCachedInputTokens = "ai.usage.cachedInputTokens",
        VercelNoCacheTokens = "ai.usage.inputTokenDetails.noCacheTokens",
        VercelCacheReadTokens = "ai.usage.inputTokenDetails.cacheReadTokens",
        VercelCacheWriteTokens = "ai.usage.inputTokenDetails.cacheWriteTokens",
        VercelDetailsReasoningTokens = "ai.usage.outputTokenDetails.reasoningTokens",
        VercelToolName = "ai.toolCall.name",
        VercelToolId = "ai.toolCall.id",

        // Langfuse.
        LangfuseType = "langfuse.observation.type",
        LangfuseModel = "langfuse.observation.model.name",
        LangfuseParameters = "langfuse.observation.model.parameters",
        LangfuseUsage = "langfuse.observation.usage_details",
        LangfuseCost = "langfuse.observation.cost_details",
        LangfuseCompletionStart = "langfuse.observation.completion_start_time",
        LangfusePromptName = "langfuse.observation.prompt.name",
        LangfusePromptVersion = "langfuse.observation.prompt.version",
        LangfuseLevel = "langfuse.observation.level",
        LangfuseStatusMessage = "langfuse.observation.status_message",
        LangfuseFinishReason = "langfuse.observation.metadata.finish_reason",
        LangfuseMetadata = "langfuse.observation.metadata",

        // MLflow.
        MlflowType = "mlflow.spanType",
        MlflowInputs = "mlflow.spanInputs",
        MlflowTraceRequestId = "mlflow.traceRequestId",
        MlflowUsage = "mlflow.chat.tokenUsage",
        MlflowCost = "mlflow.llm.cost",
        MlflowModel = "mlflow.llm.model",
        MlflowProvider = "mlflow.llm.provider",
        MlflowSession = "mlflow.trace.session",
        MlflowUser = "mlflow.trace.user",
        MlflowPrompts = "mlflow.linkedPrompts",

        // LangSmith.
        LangsmithKind = "langsmith.span.kind",
        LangsmithTags = "langsmith.span.tags",
        LangsmithStreaming = "langsmith.request.streaming",
        LangsmithProvider = "langsmith.metadata.ls_provider",
        LangsmithModel = "langsmith.metadata.ls_model_name",
        LangsmithTemperature = "langsmith.metadata.ls_temperature",
        LangsmithMaxTokens = "langsmith.metadata.ls_max_tokens",
        LangsmithStop = "langsmith.metadata.ls_stop",
        LangsmithParameters = "langsmith.metadata.ls_invocation_params",
        LangsmithUsage = "langsmith.metadata.usage_metadata",
        LangsmithSessionId = "langsmith.metadata.session_id",
        LangsmithThreadId = "langsmith.metadata.thread_id",
        LangsmithConversationId = "langsmith.metadata.conversation_id",
        LangsmithUserId = "langsmith.metadata.user_id",

        // LiteLLM.
        LitellmCallId = "litellm.call_id",
        LitellmCost = "litellm.cost.total",
        LitellmStreaming = "litellm.request.streaming",
        LitellmEndUser = "litellm.end_user.id",
        LitellmGuardrail = "litellm.guardrail.name",
        LitellmCacheHit = "litellm.cache_hit",
        LitellmErrorCode = "litellm.provider.error.code",

        // Google ADK.
        AdkSessionId = "gcp.vertex.agent.session_id",
        AdkRequest = "gcp.vertex.agent.llm_request",
        AdkResponse = "gcp.vertex.agent.llm_response",
        AdkToolArguments = "gcp.vertex.agent.tool_call_args",

        // Spring AI.
        SpringKind = "spring.ai.kind",
        SpringToolName = "spring.ai.tool.definition.name",
        SpringToolCallId = "spring.ai.tool.call.id",
        SpringConversationId = "spring.ai.chat.client.conversation.id",
        SpringStream = "spring.ai.chat.client.stream",

        // Model Context Protocol.
        McpMethod = "mcp.method.name",
    }
    shared {
        SessionId = "session.id",
        UserId = "user.id",
        EndUserId = "enduser.id",
        ErrorType = "error.type",
        ExceptionType = "exception.type",
        HttpStatus = "http.response.status_code",
        Metadata = "metadata",
        TagTags = "tag.tags",
        ToolNameBare = "tool.name",
        ToolIdBare = "tool.id",
        AgentNameBare = "agent.name",
        PromptId = "prompt.id",
        OutputValue = "output.value",
        OutputMimeType = "output.mime_type",
        LangfuseUserId = "langfuse.user.id",
        LangfuseSessionId = "langfuse.session.id",
        LangfuseTraceTags = "langfuse.trace.tags",
        LangfuseTraceMetadata = "langfuse.trace.metadata",
        TraceloopSessionId = "traceloop.association.properties.session_id",
        TraceloopUserId = "traceloop.association.properties.user_id",
        LogfireMessage = "logfire.msg",
        LogfireSpanType = "logfire.span_type",
        LogfireTags = "logfire.tags",
        RequestData = "request_data",
        ResponseData = "response_data",
        OperationCost = "operation.cost",
        AgentNamePlain = "agent_name",
        ModelNamePlain = "model_name",
        HiddenParameters = "hidden_params",
        KeyEndUser = "metadata.user_api_key_end_user_id",
        FirstTokenMillis = "time_to_first_token_ms",

        // Bare names of request parameters (MLflow) and of coding agents.
        Model = "model",
        PlainTemperature = "temperature",
        PlainTopP = "top_p",
        PlainMaxTokens = "max_tokens",
        PlainStream = "stream",
        PlainUser = "user",
        SpanType = "span.type",
        EventName = "event.name",
        EventKind = "event.kind",
        PlainInputTokens = "input_tokens",
        PlainOutputTokens = "output_tokens",
        PlainCacheReadTokens = "cache_read_tokens",
        PlainCacheCreationTokens = "cache_creation_tokens",
        PlainCacheCreation1h = "cache_creation_1h_tokens",
        PlainTtft = "ttft_ms",
        CostUsd = "cost_usd",
        Speed = "speed",
        Effort = "effort",
        PlainToolName = "tool_name",
        FunctionName = "function_name",
        CallId = "call_id",
        PlainConversationId = "conversation.id",
        PlainFinishReasons = "finish_reasons",
        InputTokenCount = "input_token_count",
        OutputTokenCount = "output_token_count",
        CachedTokenCount = "cached_token_count",
        CachedContentTokenCount = "cached_content_token_count",
        CacheWriteTokenCount = "cache_write_token_count",
        ReasoningTokenCount = "reasoning_token_count",
        ThoughtsTokenCount = "thoughts_token_count",
        ToolTokenCount = "tool_token_count",
        TotalTokenCount = "total_token_count",
        PlainErrorType = "error_type",
        ErrorClass = "error_class",
        PlainStatusCode = "status_code",
        PlainDurationMillis = "duration_ms",
    }
}

/// Size of the hash table: a power of two, large enough that most places are free.
const PLACES: usize = 2048;

/// The slots, each plus one, at the hash of their key or after it; zero where there is none.
static TABLE: [u16; PLACES] = table();

const fn table() -> [u16; PLACES] {
    let mut table = [0; PLACES];
    let mut slot = 0;
    while slot < KEYS.len() {
        let mut place = place(KEYS[slot].as_bytes());
        while table[place] != 0 {
            place = (place + 1) % PLACES;
        }
        table[place] = slot as u16 + 1;
        slot += 1;
    }
    table
}

/// The place of a key: eight bytes at a time, so that a key costs some nanoseconds whatever its length.
const fn place(key: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = key.len() as u64;
    let mut rest = key;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        hash = (hash ^ u64::from_le_bytes(*chunk)).wrapping_mul(FACTOR);
        hash ^= hash >> 29;
        rest = tail;
    }
    let last = match key.last_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => short(key),
    };
    hash = (hash ^ last).wrapping_mul(FACTOR);
    (hash >> 53) as usize
}

const fn short(key: &[u8]) -> u64 {
    let mut bytes = 0;
    let mut at = 0;
    while at < key.len() {
        bytes = bytes << 8 | key[at] as u64;
        at += 1;
    }
    bytes
}

impl Slot {
    /// The slot of this key, if readings look at it.
    pub(crate) fn of(key: &str) -> Option<Self> {
        let mut place = place(key.as_bytes());
        loop {
            let slot = usize::from(TABLE[place]).checked_sub(1)?;
            if KEYS[slot] == key {
                return (!key.is_empty()).then_some(SLOT[slot]);
            }
            place = (place + 1) % PLACES;
        }
    }

    /// Whether only LLM dialects use the key.
    pub(crate) fn marks_llm(self) -> bool {
        (self as u16) < Self::FirstShared as u16
    }
}

/// The keys that only LLM dialects use.
#[cfg(test)]
pub(super) fn llm_keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().copied().take(Slot::FirstShared as usize)
}

/// All keys that readings look at.
#[cfg(test)]
pub(crate) fn all_keys() -> Vec<&'static str> {
    KEYS.to_vec()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_key_leads_to_its_slot() {
        for (slot, key) in SLOT.iter().zip(KEYS).filter(|(_, key)| !key.is_empty()) {
            assert_eq!(Slot::of(key), Some(*slot), "{key}");
        }
        assert_eq!(KEYS.iter().collect::<HashSet<_>>().len(), KEYS.len(), "a key stands twice");
        assert_eq!(Slot::of(""), None);
        assert_eq!(Slot::of("gen_ai.request.models"), None);
    }

    #[test]
    fn the_table_is_sparse_enough() {
        let ordinary = ["http.request.method", "url.full", "db.statement", "net.peer.ip", "server.address"];
        for key in KEYS.iter().chain(&ordinary) {
            let start = place(key.as_bytes());
            let steps = (0..).find(|step| TABLE[(start + step) % PLACES] == 0).unwrap();
            assert!(steps < 12, "{key} takes {steps} steps");
        }
    }
}
