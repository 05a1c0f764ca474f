//! Where a workflow stands, and the way from one status to another.

use std::fmt;
use std::str::FromStr;

use entity::workflows;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel, Set};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::prepare::Prepared;
use super::{SaveContext, Workflow, triggers};
use crate::{Error, Result};

/// Where a workflow stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is being made.
    #[default]
    Draft,
    /// Its triggers fire.
    Active,
    /// Its triggers do not fire.
    Paused,
    /// It is put away.
    Archived,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Paused, Self::Archived];

    /// The word in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Archived => "archived",
        }
    }

    /// Whether a workflow can be given another status: what was active once is no draft again, and only what was
    /// active can be paused. A status may always be kept.
    #[must_use]
    pub const fn may_become(self, other: Self) -> bool {
        match (self, other) {
            (_, Self::Active | Self::Archived)
            | (Self::Active | Self::Paused | Self::Archived, Self::Paused)
            | (Self::Draft, Self::Draft) => true,
            (Self::Draft, Self::Paused) | (Self::Active | Self::Paused | Self::Archived, Self::Draft) => {
                false
            }
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or_else(|| {
            Error::invalid("status", format!("{word:?} is not draft, active, paused or archived"))
        })
    }
}

/// What became of a change of status.
#[derive(Clone, Debug)]
pub enum StatusChange {
    /// The workflow has the status.
    Changed(Box<Workflow>),
    /// The organization has no such workflow.
    NotFound,
    /// A workflow with this status cannot be given the other.
    Illegal {
        /// The status that it has.
        from: Status,
    },
}

/// Gives a workflow a status, and makes its triggers fire or stop. A schedule starts again from the present: what it
/// missed while the workflow was not active counts as not asked for.
///
/// # Errors
/// [`Error::Invalid`] when it is to become active and its definition has errors; [`Error::WebhookPathTaken`].
pub async fn set_status(
    tx: &impl ConnectionTrait,
    context: SaveContext<'_>,
    organization_id: Uuid,
    workflow_id: Uuid,
    status: Status,
) -> Result<StatusChange> {
    let Some(workflow) = super::lock(tx, organization_id, workflow_id).await? else {
        return Ok(StatusChange::NotFound);
    };
    let from: Status = workflow.status.parse()?;
    if !from.may_become(status) {
        return Ok(StatusChange::Illegal { from });
    }
    if from == status {
        return Ok(StatusChange::Changed(Box::new(workflow)));
    }
    let prepared = Prepared::of(workflow.definition.clone(), status, context.catalogue)?;
    let mut row: workflows::ActiveModel = workflow.into_active_model();
    row.status = Set(status.as_str().to_owned());
    row.updated_at = Set(context.now.fixed_offset());
    let workflow = row.update(tx).await?;
    triggers::derive(tx, context, &workflow, &prepared).await?;
    Ok(StatusChange::Changed(Box::new(workflow)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_from_one_status_to_another_is_decided() {
        let ways: Vec<String> = Status::ALL
            .into_iter()
            .flat_map(|from| Status::ALL.into_iter().map(move |to| (from, to)))
            .filter(|(from, to)| !from.may_become(*to))
            .map(|(from, to)| format!("{from} -> {to}"))
            .collect();
        assert_eq!(ways, ["draft -> paused", "active -> draft", "paused -> draft", "archived -> draft"]);
    }
}
