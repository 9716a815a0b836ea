use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct House {
    door: SocketAddr,
    colour: Colour,
    lit: bool,
    key: Option<Secret>,
    kitchen: Kitchen,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Colour {
    Red,
    Blue,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kitchen {
    plates: u16,
    guests: u16,
}

impl Default for House {
    fn default() -> Self {
        let door = SocketAddr::from(([127, 0, 0, 1], 80));
        Self { door, colour: Colour::Red, lit: false, key: None, kitchen: Kitchen::default() }
    }
}

impl Default for Kitchen {
    fn default() -> Self {
        Self { plates: 6, guests: 4 }
    }
}

impl Validate for House {
    fn validate(&self, problems: &mut Problems) {
        problems.section("kitchen", &self.kitchen);
    }
}

impl Validate for Kitchen {
    fn validate(&self, problems: &mut Problems) {
        problems.at_least("guests", self.guests, 1);
        problems.not_less_than("plates", self.plates, "guests", self.guests);
    }
}

fn names() -> Names {
    Names {
        usual: vec![("DOOR".to_owned(), "door".to_owned())],
        prefix: "HOUSE_",
        foreign: |name| name == "HOUSE_NUMBER",
    }
}

fn environment(variables: &[(&str, &str)]) -> Layers {
    let environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Layers { environment, ..Layers::default() }
}

/// The problems of a configuration, one line each.
fn problems(layers: &Layers) -> Vec<String> {
    match load::<House>(layers, &names()) {
        Ok(_) => Vec::new(),
        Err(ConfigError::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn each_layer_lies_over_the_one_before_it() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a.yaml", "colour: blue\nkitchen:\n  plates: 8\n  guests: 8\n"),
        ("a.toml", "colour = \"blue\"\n[kitchen]\nplates = 8\nguests = 8\n"),
        ("a.json", r#"{"colour": "blue", "kitchen": {"plates": 8, "guests": 8}}"#),
    ] {
        let file = directory.path().join(name);
        std::fs::write(&file, text).unwrap();
        let variables =
            [("HOUSE_KITCHEN__PLATES", "9"), ("HOUSE_KITCHEN__GUESTS", "9"), ("HOUSE_LIT", "true")];
        let mut layers = environment(&variables);
        layers.file = Some(file);
        layers.flags = vec![Flag { name: "--guests", path: "kitchen.guests", value: "2".to_owned() }];
        let house: House = load(&layers, &names()).unwrap();
        assert_eq!(
            (house.colour, house.kitchen.plates, house.kitchen.guests),
            (Colour::Blue, 9, 2),
            "{name}"
        );
        assert!(house.lit && house.key.is_none());
    }
}

#[test]
fn variables_name_settings_by_their_usual_names_or_by_their_paths() {
    let variables = [("DOOR", "[::1]:443"), ("HOUSE_KEY", "0123"), ("HOUSE_NUMBER", "7"), ("HOUSE_LIT", "")];
    let house: House = load(&environment(&variables), &names()).unwrap();
    assert_eq!(house.door.to_string(), "[::1]:443");
    assert_eq!(house.key, Some(Secret::new("0123")), "a key of digits is still a text");
    let both: House =
        load(&environment(&[("HOUSE_DOOR", "[::1]:2"), ("DOOR", "[::1]:1")]), &names()).unwrap();
    assert_eq!(both.door.port(), 2, "the prefixed name wins, whatever the order");
}

#[test]
fn every_mistake_is_reported_with_its_setting_and_its_source() {
    let mut layers = environment(&[
        ("DOOR", "80"),
        ("HOUSE_COLOUR", "green"),
        ("HOUSE_LIT", "perhaps"),
        ("HOUSE_KITCHEN__PLATES", "70000"),
        ("HOUSE_KITCHEN__FORKS", "3"),
        ("HOUSE_ROOF__TILES", "3"),
    ]);
    layers.flags = vec![Flag { name: "--guests", path: "kitchen.guests", value: "0".to_owned() }];
    let mut reported = problems(&layers);
    reported.sort();
    let expected = [
        "colour must be one of: red, blue (from HOUSE_COLOUR)",
        "door must be written like 127.0.0.1:80 (from DOOR)",
        "kitchen.forks is not a setting; known settings: plates, guests (from HOUSE_KITCHEN__FORKS)",
        "kitchen.guests must be at least 1 (from --guests)",
        "kitchen.plates must be a whole number, 0 to 65535, like 6 (from HOUSE_KITCHEN__PLATES)",
        "lit must be true or false (from HOUSE_LIT)",
        "roof is not a setting; known settings: door, colour, lit, key, kitchen (from HOUSE_ROOF__TILES)",
    ];
    assert_eq!(reported, expected);
}

#[test]
fn mistakes_in_a_file_name_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("house.yaml");
    std::fs::write(&file, "kitchen: 3\ncolour:\n  red: 1\nkey: 12345\nlit: 1\n").unwrap();
    let layers = Layers { file: Some(file.clone()), ..Layers::default() };
    let reported = problems(&layers);
    assert_eq!(reported.len(), 4, "{reported:?}");
    for (problem, begin) in
        reported.iter().zip(["colour", "key must be a text", "kitchen must be a section", "lit must be"])
    {
        assert!(problem.starts_with(begin) && problem.contains("house.yaml"), "{problem}");
        assert!(!problem.contains("12345"), "no message quotes a value: {problem}");
    }
    std::fs::write(&file, "# nothing yet\n").unwrap();
    assert_eq!(problems(&layers), Vec::<String>::new(), "an empty file changes nothing");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_the_place() {
    let directory = tempfile::tempdir().unwrap();
    let load = |name: &str| {
        let file = Some(directory.path().join(name));
        load::<House>(&Layers { file, ..Layers::default() }, &names()).unwrap_err()
    };
    assert!(matches!(load("absent.toml"), ConfigError::File { .. }));
    for (name, text, reason) in [
        ("a.toml", "lit = true\nkey = \"hunter2\nlit = false\n", "at line 2"),
        ("a.yaml", "hunter2", "must map names to settings"),
        ("a.json", "{\"key\": \"hunter2\",, }", "line 1 column 19"),
        ("a.txt", "hunter2", "must end in .yaml, .yml, .toml or .json"),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
        let message = load(name).to_string();
        assert!(message.contains(name) && message.contains(reason), "{message}");
        assert!(!message.contains("hunter2"), "no message quotes a value: {message}");
    }
}
