//! What `traces` says of the sessions and users of a trace: the column `speakers`.

use std::ops::BitOrAssign;

use llm_observatory_genai::speaker::Told;

/// Whether spans of a trace tell a session and a user, and whether LLM spans lacked them when their batch was written. Tells a
/// writer whether spans of other batches may have what one of a trace lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Speakers(pub(crate) i16);

const TELLS_SESSION: i16 = 1;
const LACKS_SESSION: i16 = 2;
const TELLS_USER: i16 = 4;
const LACKS_USER: i16 = 8;

impl Speakers {
    /// Of a span that tells this session and user.
    pub(crate) fn telling((session, user): Told<'_>) -> Self {
        let session = if session.is_some() { TELLS_SESSION } else { 0 };
        let user = if user.is_some() { TELLS_USER } else { 0 };
        Self(session | user)
    }

    /// Of an LLM span that has this session and user, its own or those of spans above it.
    pub(crate) fn lacking((session, user): Told<'_>) -> Self {
        let session = if session.is_none() { LACKS_SESSION } else { 0 };
        let user = if user.is_none() { LACKS_USER } else { 0 };
        Self(session | user)
    }

    /// The same without what is lacking.
    pub(crate) fn telling_only(self) -> Self {
        Self(self.0 & (TELLS_SESSION | TELLS_USER))
    }

    /// Whether a span tells a session or a user.
    pub(crate) fn tells(self) -> bool {
        self.0 & (TELLS_SESSION | TELLS_USER) != 0
    }

    /// Whether one span may take over what another one tells.
    pub(crate) fn may_meet(self) -> bool {
        [TELLS_SESSION | LACKS_SESSION, TELLS_USER | LACKS_USER].iter().any(|both| self.0 & both == *both)
    }
}

impl BitOrAssign for Speakers {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
