//! Images, audio, videos and files in the shapes of all providers.

use llm_observatory_core::llm::{MediaSource, Part};

use super::json::Json;

/// The medium in a part whose type names one, or that has the keys of one; `None` if there is none, or nothing says where
/// its bytes are.
pub(super) fn media(part: &Json<'_>) -> Option<Part> {
    openai(part).or_else(|| google(part)).or_else(|| bedrock(part)).or_else(|| typed(part))
}

/// `{"type": "image_url", "image_url": {"url"}}`, `input_image`, `input_audio` and `file` of OpenAI.
fn openai(part: &Json<'_>) -> Option<Part> {
    if let Some(image) = part.get("image_url") {
        let url = image.text().or_else(|| image.text_at(&["url"]))?;
        return Some(at(url, "image", None));
    }
    if let Some(audio) = part.get("input_audio") {
        let mime = audio.text_at(&["format"]).map(|format| format!("audio/{format}"));
        return Some(inline(audio.text_at(&["data"])?, "audio", mime));
    }
    let file = part.get("file").filter(|file| file.is_map()).unwrap_or(part);
    let modality = if part.text_at(&["type"]) == Some("input_image") { "image" } else { "file" };
    if let Some(data) = file.text_at(&["file_data"]) {
        return Some(at_or_inline(data, modality, None));
    }
    if let Some(url) = file.text_at(&["file_url"]) {
        return Some(at(url, modality, None));
    }
    let id = file.text_at(&["file_id"])?;
    let modality = part.text_at(&["modality"]).unwrap_or(modality).to_owned();
    Some(Part::Media { modality, mime_type: mime_type(part), source: MediaSource::File(id.to_owned()) })
}

/// `inlineData` and `fileData` of Google.
fn google(part: &Json<'_>) -> Option<Part> {
    if let Some(data) = part.any(&["inlineData", "inline_data"]) {
        let mime = mime_type(data);
        return Some(inline(data.text_at(&["data"])?, modality_of(mime.as_deref()), mime));
    }
    let file = part.any(&["fileData", "file_data"]).filter(|file| file.is_map())?;
    let mime = mime_type(file);
    Some(at(file.text_at(&["fileUri", "file_uri"])?, modality_of(mime.as_deref()), mime))
}

/// `{"image": {"format", "source": {"bytes"}}}` of Bedrock; also documents, videos and audio.
fn bedrock(part: &Json<'_>) -> Option<Part> {
    let (modality, medium) = ["image", "video", "audio", "document"]
        .into_iter()
        .find_map(|modality| Some((modality, part.get(modality).filter(|medium| medium.is_map())?)))?;
    let format = medium.text_at(&["format"]);
    let source = medium.get("source")?;
    let (modality, mime) = match (modality, format) {
        ("document", format) => ("file", format.map(|format| format!("application/{format}"))),
        (modality, format) => (modality, format.map(|format| format!("{modality}/{format}"))),
    };
    if let Some(bytes) = source.text_at(&["bytes"]) {
        return Some(inline(bytes, modality, mime));
    }
    Some(at(source.get("s3Location")?.text_at(&["uri"])?, modality, mime))
}

/// Parts that name their type: OpenTelemetry's `blob` and `uri`, Anthropic's `image` and `document`, Vercel's `image` and
/// `file`, Pydantic AI's `image-url` and `binary`.
fn typed(part: &Json<'_>) -> Option<Part> {
    // Genkit's.
    if let Some(medium) = part.get("media").filter(|medium| medium.is_map()) {
        let mime = medium.text_at(&["contentType"]).map(str::to_owned);
        return Some(at(medium.text_at(&["url"])?, modality_of(mime.as_deref()), mime));
    }
    let kind = part.text_at(&["type", "kind", "block_type"])?;
    let source = part.get("source").filter(|source| source.is_map()).unwrap_or(part);
    let mime = mime_type(source).or_else(|| mime_type(part));
    let named = kind.split(['-', '_']).next().filter(|word| ["image", "audio", "video"].contains(word));
    let modality = part.text_at(&["modality"]).or(named).unwrap_or(modality_of(mime.as_deref()));
    if let Some(uri) = source.text_at(&["uri", "url"]) {
        return Some(at(uri, modality, mime));
    }
    // Anthropic's documents may hold plain text, which is no base64.
    if source.text_at(&["type"]) == Some("text") {
        return None;
    }
    match kind {
        "blob" | "binary" => Some(inline(source.text_at(&["content", "data"])?, modality, mime)),
        "image" | "audio" | "video" | "file" | "media" | "document" => {
            Some(at_or_inline(source.text_at(&["data", "image", "audio", "file"])?, modality, mime))
        }
        _ => None,
    }
}

/// The MIME type of a part, under any of its names.
fn mime_type(part: &Json<'_>) -> Option<String> {
    part.text_at(&["mime_type", "mimeType", "media_type", "mediaType", "image_mimetype"]).map(str::to_owned)
}

/// What a MIME type is about: `image`, `audio`, `video`, or else `file`.
fn modality_of(mime: Option<&str>) -> &'static str {
    let kind = mime.and_then(|mime| mime.split('/').next()).unwrap_or_default();
    ["image", "audio", "video"].into_iter().find(|known| *known == kind).unwrap_or("file")
}

/// A medium at a URI. A `data:` URI holds the bytes themselves.
pub(super) fn at(uri: &str, modality: &str, mime_type: Option<String>) -> Part {
    let data = uri.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let Some((told, bytes)) = data else {
        let source = MediaSource::Uri(uri.to_owned());
        return Part::Media { modality: modality.to_owned(), mime_type, source };
    };
    inline(bytes, modality, mime_type.or_else(|| Some(told.to_owned()).filter(|told| !told.is_empty())))
}

/// A medium at a URI, or else in base64.
fn at_or_inline(data: &str, modality: &str, mime: Option<String>) -> Part {
    // A scheme stands within the first bytes; base64 has no colon.
    let start = data.as_bytes().get(..12).unwrap_or(data.as_bytes());
    if start.contains(&b':') { at(data, modality, mime) } else { inline(data, modality, mime) }
}

pub(super) fn inline(base64: &str, modality: &str, mime_type: Option<String>) -> Part {
    let source = MediaSource::Inline(base64.to_owned());
    Part::Media { modality: modality.to_owned(), mime_type, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<(String, Option<String>, MediaSource)> {
        match media(&Json::parse(json).unwrap())? {
            Part::Media { modality, mime_type, source } => Some((modality, mime_type, source)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_image_is_found_in_the_shape_of_every_provider() {
        let png =
            Some(("image".to_owned(), Some("image/png".to_owned()), MediaSource::Inline("aGk=".to_owned())));
        for json in [
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk=","detail":"low"}}"#,
            r#"{"type":"input_image","image_url":"data:image/png;base64,aGk="}"#,
            r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}"#,
            r#"{"inlineData":{"mimeType":"image/png","data":"aGk="}}"#,
            r#"{"inline_data":{"mime_type":"image/png","data":"aGk="}}"#,
            r#"{"image":{"format":"png","source":{"bytes":"aGk="}}}"#,
            r#"{"type":"image","image":"aGk=","mediaType":"image/png"}"#,
            r#"{"type":"file","data":"aGk=","mediaType":"image/png"}"#,
            r#"{"type":"blob","mime_type":"image/png","modality":"image","content":"aGk="}"#,
            r#"{"type":"binary","media_type":"image/png","content":"aGk="}"#,
            r#"{"media":{"contentType":"image/png","url":"data:image/png;base64,aGk="}}"#,
        ] {
            assert_eq!(read(json), png, "{json}");
        }
    }

    #[test]
    fn a_medium_may_be_elsewhere() {
        let uri = |text: &str| MediaSource::Uri(text.to_owned());
        for (json, modality, source) in [
            (
                r#"{"type":"image_url","image_url":{"url":"https://x/y.png"}}"#,
                "image",
                uri("https://x/y.png"),
            ),
            (r#"{"type":"image","source":{"type":"url","url":"https://x/y"}}"#, "image", uri("https://x/y")),
            (r#"{"type":"image","image":"https://x/y"}"#, "image", uri("https://x/y")),
            (r#"{"type":"image-url","url":"https://x/y"}"#, "image", uri("https://x/y")),
            (r#"{"type":"uri","modality":"video","uri":"gs://b/v"}"#, "video", uri("gs://b/v")),
            (r#"{"fileData":{"mimeType":"audio/wav","fileUri":"gs://b/a"}}"#, "audio", uri("gs://b/a")),
            (
                r#"{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://b/v"}}}}"#,
                "video",
                uri("s3://b/v"),
            ),
            (r#"{"type":"file","file":{"file_id":"f-1"}}"#, "file", MediaSource::File("f-1".to_owned())),
            (
                r#"{"type":"file","modality":"image","file_id":"f-1"}"#,
                "image",
                MediaSource::File("f-1".to_owned()),
            ),
        ] {
            let (read_modality, _, read_source) = read(json).unwrap();
            assert_eq!((&*read_modality, read_source), (modality, source), "{json}");
        }
        assert_eq!(read(r#"{"type":"image"}"#), None);
        assert_eq!(read(r#"{"type":"document","source":{"type":"text","data":"plain"}}"#), None);
    }
}
