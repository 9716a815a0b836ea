package scenario;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.ai.tool.annotation.ToolParam;

/** What is said in each case, and the tool: see scene.json. */
final class Scene {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final JsonNode scene;

    Scene(String file) throws IOException {
        scene = JSON.readTree(Path.of(file).toFile());
    }

    String system() {
        return scene.get("system").asText();
    }

    String session() {
        return scene.get("session_id").asText();
    }

    String prompt(String name) {
        return scene.get("prompts").get(name).asText();
    }

    String model(String name) {
        return scene.get("models").get(name).asText();
    }

    @Tool(name = "get_weather", description = "The weather in a city now.")
    String getWeather(@ToolParam(description = "The city's name.") String city) {
        String result = scene.get("tool").get("result").asText() + city;
        Map<String, Object> ran = Map.of("name", "get_weather", "arguments", Map.of("city", city), "result", result);
        try {
            // The recorder learns here that the tool ran, whatever the instrumentation says.
            Path file = Path.of(System.getenv("SCENE_TOOLS_FILE"));
            String line = JSON.writeValueAsString(ran) + "\n";
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        return result;
    }
}
