use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use super::super::{Log, LogFormat, keys};
use super::*;

/// Valid, as text, so that a test can change one thing.
fn valid() -> BTreeMap<String, String> {
    let generated = keys::generate().unwrap();
    let mut variables: BTreeMap<String, String> = generated
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
    variables.insert(
        "DATABASE_URL".to_owned(),
        "postgres://huanxin:kD9-wPq2_vYt7@db.internal:5432/huanxin".to_owned(),
    );
    variables
}

fn load(variables: &BTreeMap<String, String>) -> Result<Config, ConfigError> {
    config(&Environment::from_pairs(variables.clone()), None)
}

/// The problems after setting `variable` to `value`.
fn problems(variable: &str, value: &str) -> String {
    let mut variables = valid();
    variables.insert(variable.to_owned(), value.to_owned());
    load(&variables).map_or_else(
        |error| error.to_string(),
        |config| format!("accepted: {config:?}"),
    )
}

fn encoded(key: impl AsRef<[u8]>) -> String {
    STANDARD.encode(key)
}

#[test]
fn generated_keys_are_accepted_and_the_rest_has_defaults() {
    let config = load(&valid()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_base_url, "http://127.0.0.1:8080");
    assert_eq!(config.workers, None);
    assert_eq!(config.database.pool_size, 16);
    assert_eq!(config.database.lock_timeout, Duration::from_secs(10));
    assert_eq!(config.token_keys.len(), 1);
    assert!(
        config.token_keys[0]
            .1
            .expose_secret()
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    assert_eq!(
        config.log,
        Log {
            filter: "info".to_owned(),
            format: LogFormat::Json
        }
    );
    assert!(config.events.is_none(), "a secret alone is no sink");
    assert!(config.metrics);
}

#[test]
fn everything_that_is_missing_is_reported_at_once_with_variable_and_remedy() {
    let error = config(&Environment::default(), None).unwrap_err();
    let subjects: Vec<&str> = error.0.iter().map(|problem| problem.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "database.url (DATABASE_URL)",
            "token_keys (HUANXIN_TOKEN_KEYS)",
            "personal_data_keys (HUANXIN_PERSONAL_DATA_KEYS)",
            "lookup_key (HUANXIN_LOOKUP_KEY)",
            "transparency.key (HUANXIN_TRANSPARENCY_KEY)",
        ]
    );
    assert_eq!(error.to_string().matches("huanxin keys generate").count(), 4);
}

#[test]
fn weak_secrets_are_refused_and_never_quoted() {
    let counting: Vec<u8> = (0..32).collect();
    for (variable, value, expected) in [
        ("HUANXIN_LOOKUP_KEY", "changeme".to_owned(), "well-known default"),
        ("HUANXIN_LOOKUP_KEY", "%%%".to_owned(), "is not base64"),
        ("HUANXIN_LOOKUP_KEY", encoded([7; 16]), "16 bytes and not 32"),
        ("HUANXIN_LOOKUP_KEY", encoded([7; 32]), "one byte repeated"),
        ("HUANXIN_LOOKUP_KEY", encoded(&counting), "counts up"),
        (
            "HUANXIN_PERSONAL_DATA_KEYS",
            format!("a:{}", encoded([0; 32])),
            "`a` that consists of one byte",
        ),
        ("HUANXIN_PERSONAL_DATA_KEYS", encoded([0; 32]), "no `id:`"),
        (
            "HUANXIN_TOKEN_KEYS",
            format!("a:{}", encoded(&counting)),
            "not an Ed25519 private key",
        ),
        (
            "DATABASE_URL",
            "postgres://huanxin:huanxin1@db/huanxin".to_owned(),
            "well-known default",
        ),
        (
            "DATABASE_URL",
            "postgres://huanxin@db/huanxin?password=s3cr3tkey".to_owned(),
            "shorter than 12",
        ),
        (
            "DATABASE_URL",
            "mysql://huanxin:kD9-wPq2_vYt7@db/huanxin".to_owned(),
            "is not an address",
        ),
    ] {
        let message = problems(variable, &value);
        assert!(message.contains(expected), "{variable}={value}: {message}");
        assert!(message.contains(variable), "{message}");
        let secret = value.rsplit([':', '=']).next().unwrap_or_default();
        assert!(
            secret.len() < 4 || !message.contains(secret),
            "the message quotes the secret: {message}"
        );
    }
}

#[test]
fn a_weak_token_key_is_recognised_inside_its_envelope() {
    let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let der = SigningKey::from_bytes(&seed.try_into().unwrap())
        .to_pkcs8_der()
        .unwrap();
    let message = problems("HUANXIN_TOKEN_KEYS", &format!("rfc:{}", encoded(der.as_bytes())));
    assert!(message.contains("printed in an RFC"), "{message}");
}

#[test]
fn a_database_on_this_machine_may_have_any_password() {
    for url in [
        "postgres://postgres:postgres@localhost:5432/huanxin",
        "postgres://postgres:postgres@127.0.0.1/huanxin",
        "postgres://postgres:postgres@[::1]:5432/huanxin",
        "postgres://huanxin@%2Ftmp%2Fhx/huanxin",
        "postgresql:///huanxin?host=/var/run/postgresql",
    ] {
        assert!(problems("DATABASE_URL", url).starts_with("accepted"), "{url}");
    }
}

#[test]
fn one_key_does_not_serve_two_purposes() {
    let mut variables = valid();
    let personal = variables["HUANXIN_PERSONAL_DATA_KEYS"].clone();
    let key = personal.split_once(':').unwrap().1.to_owned();
    variables.insert("HUANXIN_LOOKUP_KEY".to_owned(), key);
    let error = load(&variables).unwrap_err().to_string();
    assert!(
        error.contains("lookup_key (HUANXIN_LOOKUP_KEY) repeats a key of personal_data_keys"),
        "{error}"
    );
}

#[test]
fn keys_rotate_the_first_is_active() {
    let (mut variables, other) = (valid(), valid());
    let rotated = format!(
        "{}, {}",
        other["HUANXIN_TOKEN_KEYS"], variables["HUANXIN_TOKEN_KEYS"]
    );
    let ids: Vec<String> = rotated
        .split(',')
        .map(|pair| pair.trim().split_once(':').unwrap().0.to_owned())
        .collect();
    variables.insert("HUANXIN_TOKEN_KEYS".to_owned(), rotated.clone());
    let config = load(&variables).unwrap();
    assert_eq!(
        config
            .token_keys
            .iter()
            .map(|(id, _)| id.clone())
            .collect::<Vec<_>>(),
        ids
    );

    let twice = format!("{0},{0}", valid()["HUANXIN_TOKEN_KEYS"]);
    assert!(problems("HUANXIN_TOKEN_KEYS", &twice).contains("twice"));
}

#[test]
fn a_token_key_may_be_pem_also_on_one_line() {
    let config = load(&valid()).unwrap();
    let pem = config.token_keys[0].1.expose_secret().trim();
    assert!(problems("HUANXIN_TOKEN_KEYS", &format!("k:{pem}")).starts_with("accepted"));
    assert!(
        problems("HUANXIN_TOKEN_KEYS", &format!("k:{}", pem.replace('\n', "\\n"))).starts_with("accepted")
    );
}

#[test]
fn the_environment_wins_over_the_file_and_a_secret_may_have_a_file_of_its_own() {
    let mut variables = valid();
    let lookup = variables.remove("HUANXIN_LOOKUP_KEY").unwrap();
    let tokens = variables.remove("HUANXIN_TOKEN_KEYS").unwrap();
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    writeln!(secret, "{lookup}").unwrap();
    variables.insert(
        "HUANXIN_LOOKUP_KEY_FILE".to_owned(),
        secret.path().display().to_string(),
    );
    variables.insert("HUANXIN_POOL_SIZE".to_owned(), "7".to_owned());
    let (id, key) = tokens.split_once(':').unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "listen = \"0.0.0.0:9000\"\npublic_base_url = \"https://huanxin.example.cn/\"\n\
         [database]\npool_size = 5\nlock_timeout_ms = 500\n[metrics]\nenabled = false\n\
         [[token_keys]]\nid = \"{id}\"\nkey = \"{key}\"\n"
    )
    .unwrap();
    let config = config(&Environment::from_pairs(variables), Some(file.path())).unwrap();
    assert_eq!(config.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(config.public_base_url, "https://huanxin.example.cn");
    assert_eq!(config.database.pool_size, 7);
    assert_eq!(config.database.lock_timeout, Duration::from_millis(500));
    assert_eq!(config.token_keys[0].0, id);
    assert!(!config.metrics);
    assert_eq!(encoded(config.lookup_key.expose_secret()), lookup);
}

#[test]
fn misspelt_names_wrong_types_and_wrong_values_are_named() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(
        file,
        "lisen = \"x\"\nworkers = [1]\n[database]\npoolsize = 3\n[log]\nformat = \"xml\"\n"
    )
    .unwrap();
    let mut variables = valid();
    for (name, value) in [
        ("HUANXIN_LISTN", "x"),
        ("HUANXIN_LISTEN", "here"),
        ("HUANXIN_POOL_SIZE", "1"),
        ("HUANXIN_METRICS", "maybe"),
        ("HUANXIN_LOG", "service=loud"),
        ("HUANXIN_PUBLIC_BASE_URL", "huanxin.example.cn"),
        ("HUANXIN_EVENTS_URL", "http://events.example.cn/"),
        ("HUANXIN_EVENTS_SECRET", "secret"),
        ("HUANXIN_TEST_ANYTHING", "is not ours to judge"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    let error = config(&Environment::from_pairs(variables), Some(file.path())).unwrap_err();
    let text = error.to_string();
    for expected in [
        "HUANXIN_LISTN is no variable",
        "lisen is no key",
        "database.poolsize is no key",
        "workers (HUANXIN_WORKERS) has the wrong type, array",
        "log.format (HUANXIN_LOG_FORMAT) is `xml`",
        "listen (HUANXIN_LISTEN) is `here`",
        "database.pool_size (HUANXIN_POOL_SIZE) is `1` and not a whole number from 2 to 1000",
        "metrics.enabled (HUANXIN_METRICS) is `maybe`",
        "log.filter (HUANXIN_LOG) is `service=loud`",
        "public_base_url (HUANXIN_PUBLIC_BASE_URL) is `huanxin.example.cn`",
        "events.url (HUANXIN_EVENTS_URL) is `http://events.example.cn/` and not an https address",
        "events.secret (HUANXIN_EVENTS_SECRET) is a well-known default",
    ] {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
    assert_eq!(error.0.len(), 12, "{text}");
}

#[test]
fn a_file_that_is_no_toml_is_reported_by_line_without_quoting_it() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "listen = \"0.0.0.0:80\"\nlookup_key = c2VjcmV0\n").unwrap();
    let text = config(&Environment::from_pairs(valid()), Some(file.path()))
        .unwrap_err()
        .to_string();
    assert!(text.contains("is not TOML in line 2"), "{text}");
    assert!(!text.contains("c2VjcmV0"), "{text}");
}

#[test]
fn debug_shows_no_secret() {
    let mut variables = valid();
    variables.insert(
        "HUANXIN_EVENTS_URL".to_owned(),
        "https://events.example.cn".to_owned(),
    );
    let shown = format!(
        "{:?} {:?}",
        load(&variables).unwrap(),
        Environment::from_pairs(variables.clone())
    );
    for name in [
        "HUANXIN_TOKEN_KEYS",
        "HUANXIN_PERSONAL_DATA_KEYS",
        "HUANXIN_LOOKUP_KEY",
        "HUANXIN_EVENTS_SECRET",
    ] {
        let secret = variables[name].rsplit([':', '_']).next().unwrap();
        assert!(!shown.contains(secret), "{name}: {shown}");
    }
    assert!(!shown.contains("kD9-wPq2_vYt7"), "{shown}");
    assert!(!shown.contains("BEGIN PRIVATE KEY"), "{shown}");
}

#[test]
fn migrating_needs_the_database_alone() {
    let database = Database::load(
        &Environment::from_pairs([("DATABASE_URL", "postgres:///huanxin")]),
        None,
    );
    assert_eq!(database.unwrap().url.expose_secret(), "postgres:///huanxin");
    assert!(Database::load(&Environment::default(), None).is_err());
}

#[test]
fn the_demo_keeps_its_keys() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.env");
    let read = || {
        let environment = keys::load_or_generate(&file).unwrap();
        environment
            .text("HUANXIN_LOOKUP_KEY")
            .unwrap()
            .unwrap()
            .to_owned()
    };
    assert_eq!(read(), read());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_documentation_has_the_table_of_settings_and_names_every_other_variable() {
    let page = include_str!("../../../../../docs/configuration.md");
    let written = super::super::page::written(page).expect("the page has its marks");
    assert!(
        written == page,
        "`make openapi` writes docs/configuration.md anew"
    );
    for variable in settings::OTHER_VARIABLES {
        assert!(page.contains(variable), "{variable}");
    }
}

#[test]
fn every_setting_says_what_it_means_and_what_to_do() {
    for setting in settings::ALL {
        assert!(!setting.meaning.trim().is_empty(), "{}", setting.key);
        assert!(
            !(setting.required && setting.default.is_some()),
            "{}",
            setting.key
        );
        assert_ne!(setting.advice(), "give a value", "{}", setting.key);
    }
}

/// The problems, or the configuration, after setting these variables.
fn with(pairs: &[(&str, &str)]) -> Result<Config, String> {
    let mut variables = valid();
    variables.extend(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    load(&variables).map_err(|error| error.to_string())
}

#[test]
fn a_bank_is_named_whole_or_not_at_all() {
    assert!(load(&valid()).unwrap().bank.is_none());
    let folders = with(&[
        ("HUANXIN_BANK_KIND", "folders"),
        ("HUANXIN_BANK_FOLDER", "/srv/bank"),
    ])
    .unwrap();
    assert!(matches!(
        folders.bank.unwrap().way,
        super::super::BankWay::Folders(_)
    ));
    let url = ("HUANXIN_BANK_URL", "https://bank.example.cn/t0ken");
    let gateway = with(&[
        ("HUANXIN_BANK_KIND", "gateway"),
        ("HUANXIN_BANK_FORMAT", "csv"),
        url,
    ])
    .unwrap();
    let bank = gateway.bank.unwrap();
    assert_eq!(bank.format, super::super::BankFormat::Csv);
    assert_eq!(bank.poll, Duration::from_secs(60));
    for (pairs, expected) in [
        (&[("HUANXIN_BANK_KIND", "post")][..], "is `post`"),
        (
            &[("HUANXIN_BANK_KIND", "gateway")][..],
            "bank.url (HUANXIN_BANK_URL) is missing",
        ),
        (
            &[("HUANXIN_BANK_KIND", "folders")][..],
            "bank.folder (HUANXIN_BANK_FOLDER) is missing",
        ),
        (&[url][..], "bank.kind does not use it"),
        (
            &[
                ("HUANXIN_BANK_KIND", "gateway"),
                ("HUANXIN_BANK_URL", "http://bank.example.cn/t0ken"),
            ][..],
            "is not an https address",
        ),
        (
            &[
                ("HUANXIN_BANK_KIND", "gateway"),
                url,
                ("HUANXIN_BANK_CLIENT_KEY", "k3y"),
            ][..],
            "bank.client_certificate (HUANXIN_BANK_CLIENT_CERTIFICATE) is missing",
        ),
        (
            &[
                ("HUANXIN_BANK_KIND", "gateway"),
                url,
                ("HUANXIN_BANK_ROOT_CERTIFICATES", "/nowhere.pem"),
            ][..],
            "cannot be read",
        ),
    ] {
        let message = with(pairs).unwrap_err();
        assert!(message.contains(expected), "{message}");
        assert!(
            !message.contains("t0ken") && !message.contains("k3y"),
            "{message}"
        );
    }
}

#[test]
fn webhooks_go_to_public_addresses_unless_a_demo_sets_otherwise() {
    let webhooks = load(&valid()).unwrap().webhooks;
    assert_eq!(
        (webhooks.enabled, webhooks.this_machine, webhooks.days),
        (true, false, 30)
    );
    let demo = with(&[
        ("HUANXIN_WEBHOOKS_REACH", "this_machine"),
        ("HUANXIN_WEBHOOKS_DAYS", "4"),
    ])
    .unwrap();
    assert!(demo.webhooks.this_machine);
    assert!(
        with(&[("HUANXIN_WEBHOOKS_REACH", "everybody")])
            .unwrap_err()
            .contains("is `everybody`")
    );
    // A message is attempted for longer than its retention.
    assert!(with(&[("HUANXIN_WEBHOOKS_DAYS", "3")]).is_err());
}
