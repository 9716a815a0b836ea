//! Definitions of tools in the shape of any provider.

use llm_observatory_core::llm::ToolDefinition;

use super::json::Json;

/// Most definitions of one call; definitions beyond are not shown.
pub(super) const MAX_TOOLS: usize = 100_000;

/// The definitions in a list, or a map that holds one.
pub(super) fn read(json: &Json<'_>) -> Vec<ToolDefinition> {
    let mut tools = Vec::new();
    collect(json, &mut tools);
    tools.truncate(MAX_TOOLS);
    tools
}

fn collect(json: &Json<'_>, out: &mut Vec<ToolDefinition>) {
    match json {
        Json::List(items, _) => items.iter().for_each(|item| collect(item, out)),
        // Vercel lists JSON texts; others list names.
        Json::Text(text) => match Json::parse_nest(text) {
            Some(nest) => collect(&nest, out),
            None if text.is_empty() => {}
            // Semantic Kernel joins the names.
            None => out.extend(
                text.split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .map(|name| ToolDefinition { name: name.to_owned(), ..ToolDefinition::default() }),
            ),
        },
        Json::Map(..) => {
            match json.any(&["functionDeclarations", "function_declarations", "tools", "function_tools"]) {
                Some(inner) => collect(inner, out),
                None => out.extend(definition(json)),
            }
        }
        Json::Literal(_) => {}
    }
}

/// The definition in a map of OpenAI, Anthropic, Google, Bedrock, Vercel or MCP. A tool that the provider runs has no name
/// but its type.
fn definition(map: &Json<'_>) -> Option<ToolDefinition> {
    let inner = map.any(&["function", "toolSpec"]).filter(|inner| inner.is_map()).unwrap_or(map);
    let name = inner.text_at(&["name"]).or_else(|| map.text_at(&["type"])).or_else(|| only_key(map))?;
    let schema =
        ["parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema"];
    let bedrock = map.get("toolSpec").and_then(|tool| tool.get("inputSchema")?.get("json"));
    let schema = bedrock.or_else(|| inner.any(&schema));
    Some(ToolDefinition {
        name: name.to_owned(),
        description: inner.text_at(&["description"]).map(str::to_owned),
        parameters: schema.map(Json::arguments).filter(|schema| !schema.is_empty()),
    })
}

/// Google's own tools: `{"googleSearch": {}}`.
fn only_key<'j>(map: &'j Json<'_>) -> Option<&'j str> {
    match map {
        Json::Map(fields, _) if fields.len() == 1 && fields[0].1.is_map() => Some(&fields[0].0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_found_in_the_shape_of_every_provider() {
        for json in [
            r#"[{"type":"function","function":{"name":"f","description":"d","parameters":{"type": "object"}}}]"#,
            r#"[{"type":"function","name":"f","description":"d","parameters":{"type": "object"}}]"#,
            r#"[{"name":"f","description":"d","input_schema":{"type": "object"}}]"#,
            r#"[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type": "object"}}]}]"#,
            r#"{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type": "object"}}}}]}"#,
            r#"["{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\",\"inputSchema\":{\"type\": \"object\"}}"]"#,
        ] {
            let tool = ToolDefinition {
                name: "f".to_owned(),
                description: Some("d".to_owned()),
                parameters: Some(r#"{"type": "object"}"#.to_owned()),
            };
            assert_eq!(read(&Json::parse(json).unwrap()), [tool], "{json}");
        }
        let names = |json: &str| {
            read(&Json::parse(json).unwrap()).into_iter().map(|tool| tool.name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(r#"["a","b",{"type":"web_search"},{"googleSearch":{}},7]"#),
            ["a", "b", "web_search", "googleSearch"]
        );
        assert_eq!(
            read(&Json::Text("a, b".into())).into_iter().map(|tool| tool.name).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
