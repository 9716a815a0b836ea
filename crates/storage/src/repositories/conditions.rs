//! Conditions of a list, composed for each question.
//!
//! The text of a list marks where its conditions go with `/* conditions */`, a comment as long as there are none. What can
//! stand there is closed: a column of one table's own set, an operator, and a parameter. Nothing that comes from outside is
//! ever part of the text.

use super::parameter::{Bind, Parameter};

/// Where conditions go in the text of a statement.
pub(super) const PLACE: &str = "/* conditions */";

/// What stands in the place of the comparison in the text of a column.
const COMPARISON: &str = "{}";

/// The columns that a list can be narrowed by.
pub(super) trait Column: Copy + 'static {
    /// All of them, each with an operator that it is used with.
    const ALL: &'static [(Self, Operator)];

    /// Its condition, with `{}` for the comparison: `service_name {}`.
    fn text(self) -> &'static str;
}

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// The column is the value.
    Is,
    /// The column is the value or more.
    AtLeast,
    /// The column, a text search vector, holds all words of the value.
    HasWords,
}

impl Operator {
    fn comparison(self, parameter: usize) -> String {
        match self {
            Self::Is => format!("= ${parameter}"),
            Self::AtLeast => format!(">= ${parameter}"),
            Self::HasWords => format!("@@ plainto_tsquery('simple', ${parameter})"),
        }
    }
}

/// The parameters of a statement, and the conditions that some of them are for.
pub(super) struct Conditions {
    text: String,
    parameters: Vec<Parameter>,
}

impl Conditions {
    /// No conditions yet, behind the parameters that the statement always has.
    pub(super) fn behind(parameters: Vec<Parameter>) -> Self {
        Self { text: String::new(), parameters }
    }

    /// With one more condition that must hold, unless there is no value.
    #[must_use]
    pub(super) fn and(mut self, column: impl Column, operator: Operator, value: Option<impl Bind>) -> Self {
        if let Some(value) = value {
            self.parameters.push(value.bind());
            self.text.push_str(&condition(column, operator, self.parameters.len()));
        }
        self
    }

    /// The text of a statement with these conditions in their place, and all parameters.
    pub(super) fn complete(self, statement: &str) -> (String, Vec<Parameter>) {
        (statement.replace(PLACE, &self.text), self.parameters)
    }
}

fn condition(column: impl Column, operator: Operator, parameter: usize) -> String {
    format!(" AND {}", column.text().replace(COMPARISON, &operator.comparison(parameter)))
}

/// The text of a statement with a condition on each of the columns, behind its `parameters`; for the test that prepares it.
pub(super) fn with_all<C: Column>(statement: &str, parameters: usize) -> String {
    let numbered = C::ALL.iter().zip(parameters + 1..);
    let all: String = numbered.map(|((column, operator), n)| condition(*column, *operator, n)).collect();
    statement.replace(PLACE, &all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Fruit {
        Name,
        Weight,
        Peel,
    }

    impl Column for Fruit {
        const ALL: &'static [(Self, Operator)] = &[
            (Self::Name, Operator::Is),
            (Self::Weight, Operator::AtLeast),
            (Self::Peel, Operator::HasWords),
        ];

        fn text(self) -> &'static str {
            match self {
                Self::Name => "name {}",
                Self::Weight => "weight {}",
                Self::Peel => "EXISTS (SELECT FROM peels WHERE colours {})",
            }
        }
    }

    const LIST: &str = "SELECT FROM fruits WHERE project_id = $1 /* conditions */ LIMIT $2";

    #[test]
    fn values_are_parameters_and_absent_ones_narrow_nothing() {
        let parameters = || vec![1.bind(), 10_i64.bind()];
        let (sql, bound) = Conditions::behind(parameters())
            .and(Fruit::Name, Operator::Is, None::<String>)
            .and(Fruit::Weight, Operator::AtLeast, Some(7))
            .and(Fruit::Peel, Operator::HasWords, Some("'; DROP TABLE fruits".to_owned()))
            .complete(LIST);
        let expected = "SELECT FROM fruits WHERE project_id = $1  AND weight >= $3 \
                        AND EXISTS (SELECT FROM peels WHERE colours @@ plainto_tsquery('simple', $4)) LIMIT $2";
        assert_eq!((sql.as_str(), bound.len()), (expected, 4));
        let (sql, bound) = Conditions::behind(parameters()).complete(LIST);
        assert_eq!((sql.as_str(), bound.len()), ("SELECT FROM fruits WHERE project_id = $1  LIMIT $2", 2));
    }

    #[test]
    fn a_list_can_be_narrowed_by_every_column_at_once() {
        let sql = with_all::<Fruit>(LIST, 2);
        assert!(sql.contains("name = $3 AND weight >= $4 AND EXISTS"), "{sql}");
    }
}
