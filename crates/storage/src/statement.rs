//! SQL statements, each under its name.

use std::sync::OnceLock;

/// A statement and its name, by which log lines, metrics and PostgreSQL's own statistics know it.
///
/// The text is static, or composed once from a closed set of columns and conditions; values are always parameters.
/// A test prepares every statement of [`crate::statements`] against the migrated schema.
#[derive(Debug)]
pub struct Statement {
    name: &'static str,
    text: Text,
    sql: OnceLock<String>,
}

#[derive(Debug)]
enum Text {
    Fixed(&'static str),
    Composed(fn() -> String),
    Script(&'static str),
}

impl Statement {
    /// A statement whose text is written out.
    pub const fn fixed(name: &'static str, text: &'static str) -> Self {
        Self { name, text: Text::Fixed(text), sql: OnceLock::new() }
    }

    /// A statement whose text names the columns of a table, which are declared elsewhere.
    pub const fn composed(name: &'static str, text: fn() -> String) -> Self {
        Self { name, text: Text::Composed(text), sql: OnceLock::new() }
    }

    /// Several statements without parameters, or one that can't be prepared. Statements behind it may need what it makes.
    pub const fn script(name: &'static str, text: &'static str) -> Self {
        Self { name, text: Text::Script(text), sql: OnceLock::new() }
    }

    /// The name: `module: what it does`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is run as a script, and not prepared.
    pub const fn is_script(&self) -> bool {
        matches!(self.text, Text::Script(_))
    }

    /// The text, led by the name as a comment.
    pub fn sql(&self) -> &str {
        self.sql.get_or_init(|| {
            let named = |text: &str| format!("/* {} */ {text}", self.name);
            match self.text {
                Text::Fixed(text) | Text::Script(text) => named(text),
                Text::Composed(compose) => named(&compose()),
            }
        })
    }
}
