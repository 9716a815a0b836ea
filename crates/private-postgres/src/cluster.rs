//! Creates the cluster in a data directory.

use std::{
    fs::{self, DirBuilder, File},
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::Path,
    process::Stdio,
};

use tokio::io::AsyncWriteExt;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::{self, PrivatePostgresError, Result};
use crate::layout::{Layout, NAME};

/// Creates the cluster and its database, unless there is one. Creates it under another name and renames it when it is
/// complete, so that an interruption never leaves a partial cluster in its place.
///
/// # Errors
/// [`PrivatePostgresError::Initialise`] when a program fails, [`PrivatePostgresError::Io`] when a file operation fails.
pub(crate) async fn ensure(layout: &Layout, account: &Account, binaries: &Binaries) -> Result<()> {
    if layout.cluster_version()?.is_some() {
        return Ok(());
    }
    remove_unfinished(layout);
    let unfinished = layout.data_dir.join(format!("{UNFINISHED}{}", std::process::id()));
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(error::io("create", &unfinished))?;
    account.own(&unfinished)?;
    let made = make(layout, account, binaries, &unfinished).await;
    if made.is_err() {
        remove_unfinished(layout);
    }
    made
}

const UNFINISHED: &str = "postgres.unfinished-";

async fn make(layout: &Layout, account: &Account, binaries: &Binaries, cluster: &Path) -> Result<()> {
    let mut initdb = account.command(&binaries.initdb, &layout.data_dir);
    initdb.arg("-D").arg(cluster).args([
        "--username",
        NAME,
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    ]);
    initdb.args(["--auth-local=trust", "--auth-host=reject"]);
    run(initdb, "initdb", &binaries.initdb, "").await?;

    let mut single = account.command(&binaries.postgres, &layout.data_dir);
    single.arg("--single").arg("-D").arg(cluster).args(["-c", "exit_on_error=on", "postgres"]);
    run(single, "CREATE DATABASE", &binaries.postgres, &format!("CREATE DATABASE {NAME}\n")).await?;

    fs::rename(cluster, &layout.cluster).map_err(error::io("move the new cluster to", &layout.cluster))?;
    let synced = File::open(&layout.data_dir).and_then(|directory| directory.sync_all());
    synced.map_err(error::io("sync", &layout.data_dir))?;
    tracing::info!(
        postgres.version = %binaries.version,
        postgres.user = %account.name,
        postgres.data_dir = %layout.cluster.display(),
        "private PostgreSQL created"
    );
    Ok(())
}

/// Runs `command` to its end with `input` on its standard input. The error of a failed program holds its output.
async fn run(
    mut command: tokio::process::Command,
    name: &'static str,
    program: &Path,
    input: &str,
) -> Result<()> {
    let failed = error::io("run", program);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(&failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()).await {
            // The program ended before it read its input. Its status and output say why.
            Err(broken) if broken.kind() == ErrorKind::BrokenPipe => {}
            written => written.map_err(&failed)?,
        }
    }
    let output = child.wait_with_output().await.map_err(&failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(PrivatePostgresError::Initialise {
        program: name,
        status: output.status,
        output: String::from_utf8_lossy(&said).trim().to_owned(),
    })
}

/// Removes the directories of interrupted attempts. A failure is only logged: names differ by process, so the directory
/// wastes space and does no other harm.
fn remove_unfinished(layout: &Layout) {
    for entry in fs::read_dir(&layout.data_dir).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
            && let Err(refused) = fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), error = %refused, "cannot remove an unfinished cluster");
        }
    }
}
