package scenario;

import org.springframework.ai.anthropic.AnthropicCacheOptions;
import org.springframework.ai.anthropic.AnthropicCacheStrategy;
import org.springframework.ai.anthropic.AnthropicChatOptions;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.MessageChatMemoryAdvisor;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Spring AI, traced by Micrometer. Arguments: the case, the file with the scene, the provider. */
public class Scenario {
    private final Scene scene;
    private final String provider;
    private final ChatClient client;
    private final ConfigurableApplicationContext spring;

    Scenario(Scene scene, String provider, ConfigurableApplicationContext spring) {
        this.scene = scene;
        this.provider = provider;
        this.spring = spring;
        ChatOptions.Builder<?> model = ChatOptions.builder().model(scene.model(provider));
        client = spring.getBean(ChatClient.Builder.class).defaultOptions(model).build();
    }

    public static void main(String[] arguments) throws Exception {
        String provider = arguments[2];
        System.setProperty("spring.ai.model.chat", provider);
        SpringApplication application = new SpringApplication(Application.class);
        ConfigurableApplicationContext spring = application.run();
        new Scenario(new Scene(arguments[1]), provider, spring).play(arguments[0]);
        spring.getBean(OpenObservations.class).awaitNone();
        // Closing flushes; the clients' threads would keep the program alive.
        System.exit(SpringApplication.exit(spring));
    }

    private void play(String name) {
        switch (name) {
            case "chat" -> ask(name).options(sampled()).call().content();
            case "stream" -> ask(name).stream().content().blockLast();
            case "tools" -> ask(name).tools(scene).call().content();
            case "stream_tools" -> ask("tools").tools(scene).stream().content().blockLast();
            case "cached", "cached_written" -> ask(name).options(cacheable()).call().content();
            case "cached_stream" -> ask("cached").options(cacheable()).stream().content().blockLast();
            case "reasoning" -> ask(name).options(reasoning()).call().content();
            case "session" -> talk(name);
            case "embeddings" -> spring.getBean(EmbeddingModel.class).embed(scene.prompt(name));
            case "error" -> fail(name);
            default -> throw new IllegalArgumentException(name);
        }
    }

    private ChatClient.ChatClientRequestSpec ask(String name) {
        return client.prompt().system(scene.system()).user(scene.prompt(name));
    }

    private boolean anthropic() {
        return provider.equals("anthropic");
    }

    private ChatOptions.Builder<?> sampled() {
        return ChatOptions.builder().model(scene.model(provider)).temperature(0.5).maxTokens(2000).topK(40);
    }

    private ChatOptions.Builder<?> cacheable() {
        if (!anthropic()) {
            return ChatOptions.builder().model(scene.model(provider));
        }
        AnthropicCacheOptions system = AnthropicCacheOptions.builder().strategy(AnthropicCacheStrategy.SYSTEM_ONLY).build();
        return AnthropicChatOptions.builder().model(scene.model(provider)).cacheOptions(system);
    }

    private ChatOptions.Builder<?> reasoning() {
        if (anthropic()) {
            return AnthropicChatOptions.builder().model(scene.model(provider)).maxTokens(2000).thinkingEnabled(1024);
        }
        return OpenAiChatOptions.builder().model(scene.model("openai_reasoning")).reasoningEffort("low");
    }

    /** A conversation is told by the id of its memory. */
    private void talk(String name) {
        ChatMemory memory = spring.getBean(ChatMemory.class);
        ask(name).advisors(MessageChatMemoryAdvisor.builder(memory).build())
                .advisors(advisors -> advisors.param(ChatMemory.CONVERSATION_ID, scene.session()))
                .call()
                .content();
    }

    private void fail(String name) {
        try {
            ask(name).call().content();
        } catch (RuntimeException expected) {
            return;
        }
        throw new IllegalStateException("the call did not fail");
    }
}
