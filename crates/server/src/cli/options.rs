//! Options that several commands share, and the configuration that results from them.

use std::path::PathBuf;

use clap::Args;
use llm_observatory_config::{Flag, Layers, load, variables};

use super::failure::Failure;
use crate::config::{self, Config, Role};

/// The options of every command that reads the configuration.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// A configuration file: YAML, TOML or JSON.
    #[arg(long, global = true, env = "OBSERVATORY_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// PostgreSQL to use instead of a private one [env: DATABASE_URL or OBSERVATORY_DATABASE_URL].
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Directory of the private PostgreSQL [env: OBSERVATORY_DATA_DIR].
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
}

/// Where the daemon listens.
#[derive(Debug, Args)]
pub(super) struct Listen {
    /// Address on which to receive OTLP/gRPC [default: 127.0.0.1:4317, env: OBSERVATORY_INGEST_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    ingest_listen: Option<String>,
    /// Address on which to answer queries [default: 127.0.0.1:4320, env: OBSERVATORY_QUERY_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    query_listen: Option<String>,
    /// Address of /metrics, /healthz and /readyz [default: 127.0.0.1:9464, env: OBSERVATORY_ADMIN_LISTEN].
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// Which halves run in this process [default: all, env: OBSERVATORY_ROLE].
    #[arg(long)]
    role: Option<Role>,
    /// Allow addresses beyond loopback, though every client that reaches them can write and read everything [env:
    /// OBSERVATORY_ALLOW_UNAUTHENTICATED].
    #[arg(long)]
    allow_unauthenticated: bool,
}

impl Options {
    /// Loads the configuration from its file, the environment and the options.
    ///
    /// # Errors
    /// [`Failure::Configuration`], which names all mistakes at once.
    pub(super) fn load(&self, listen: Option<&Listen>) -> Result<Config, Failure> {
        let mut flags = Vec::new();
        let mut flag = |name, path, value: Option<String>| {
            flags.extend(value.map(|value| Flag { name, path, value }));
        };
        flag("--database-url", "storage.database.url", self.database_url.clone());
        flag("--data-dir", "data_dir", self.data_dir.clone());
        if let Some(listen) = listen {
            flag("--ingest-listen", "ingest_listen", listen.ingest_listen.clone());
            flag("--query-listen", "query_listen", listen.query_listen.clone());
            flag("--admin-listen", "admin_listen", listen.admin_listen.clone());
            flag("--role", "role", listen.role.map(|role| format!("{role:?}").to_lowercase()));
            let accepted = listen.allow_unauthenticated.then(|| "true".to_owned());
            flag("--allow-unauthenticated", "allow_unauthenticated", accepted);
        }
        let layers = Layers { file: self.config.clone(), environment: variables().collect(), flags };
        load(&layers, &config::names()).map_err(Failure::Configuration)
    }
}
