use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use futures::future::join_all;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use service::ports::{LARGEST_BANK_FILE, RESULTS_PAGE};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

const NAME: &str = "HX-140802.xml";
const KEY: &str = "dsb_140802_0191";

struct Place {
    root: TempDir,
    bank: FileDrop,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let bank = FileDrop::open(root.path()).unwrap();
        Self { root, bank }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn put(&self, path: &str, bytes: &str) {
        fs::write(self.at(path), bytes).unwrap();
    }

    fn report(&self, name: &str, bytes: &str) {
        self.put(&format!("incoming/{name}"), bytes);
        self.put(&format!("incoming/{name}.sha256"), &checksum(name, bytes));
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.at(path)).ok()
    }

    /// What lies in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.at(folder)).unwrap();
        let mut names = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>();
        names.sort();
        names
    }

    async fn submit(&self, file: &BankFile) -> Result<Submitted, BankError> {
        self.bank.submit(file, KEY).await
    }

    async fn results(&self, since: Option<&str>) -> ResultsPage {
        self.bank.results(since).await.unwrap()
    }

    fn assert_laid_down(&self, bytes: &str) {
        assert_eq!(self.names("outgoing"), [NAME, &format!("{NAME}.sha256")]);
        assert_eq!(self.text(&format!("outgoing/{NAME}")).as_deref(), Some(bytes));
        assert_eq!(
            self.text(&format!("outgoing/{NAME}.sha256")),
            Some(checksum(NAME, bytes))
        );
        assert_eq!(self.names("sent"), [&format!("{NAME}.sha256"), "lock"]);
    }

    /// Takes a file away as the bank's program does.
    fn taken_by_the_bank(&self) {
        fs::remove_file(self.at(&format!("outgoing/{NAME}"))).unwrap();
        fs::remove_file(self.at(&format!("outgoing/{NAME}.sha256"))).unwrap();
    }
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn orders(bytes: &'static str) -> BankFile {
    BankFile::new(name(NAME), "application/xml", bytes).unwrap()
}

fn checksum(name: &str, bytes: &str) -> String {
    format!("{}  {name}\n", hex::encode(Sha256::digest(bytes)))
}

fn listed(page: &ResultsPage) -> Vec<&str> {
    page.files.iter().map(|file| file.name().as_str()).collect()
}

fn assert_refused(outcome: &Result<Submitted, BankError>) {
    let Err(error @ BankError::Refused { .. }) = outcome else {
        panic!("{outcome:?}");
    };
    let text = format!("{error} {error:?}");
    assert!(!text.contains(NAME) && !text.contains('/'), "{text}");
}

#[tokio::test]
async fn orders_lie_there_whole_beside_their_checksum() {
    let place = Place::new();
    let reference = None;
    assert_eq!(
        place.submit(&orders("<a/>")).await.unwrap(),
        Submitted { reference }
    );
    place.assert_laid_down("<a/>");
    let mode = fs::metadata(place.at(&format!("outgoing/{NAME}")))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o137, 0, "{mode:o}");
}

#[tokio::test]
async fn the_same_orders_are_laid_down_once() {
    let place = Place::new();
    place.submit(&orders("<a/>")).await.unwrap();
    place.submit(&orders("<a/>")).await.unwrap();
    place.assert_laid_down("<a/>");
    // Also after the bank took them: a second time they would be paid again.
    place.taken_by_the_bank();
    place.submit(&orders("<a/>")).await.unwrap();
    let again = FileDrop::open(place.root.path()).unwrap();
    again.submit(&orders("<a/>"), "another key").await.unwrap();
    assert_eq!(place.names("outgoing"), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_stands_for_the_same_bytes_for_good() {
    let place = Place::new();
    place.submit(&orders("<a/>")).await.unwrap();
    assert_refused(&place.submit(&orders("<b/>")).await);
    place.assert_laid_down("<a/>");
    place.taken_by_the_bank();
    assert_refused(&place.submit(&orders("<b/>")).await);
    assert_eq!(place.names("outgoing"), Vec::<String>::new());
}

#[tokio::test]
async fn what_others_laid_down_is_not_overwritten() {
    let place = Place::new();
    place.put(&format!("outgoing/{NAME}"), "<other/>");
    assert_refused(&place.submit(&orders("<a/>")).await);
    assert_eq!(
        place.text(&format!("outgoing/{NAME}")).as_deref(),
        Some("<other/>")
    );
    assert_eq!(place.names("sent"), ["lock"]);

    let place = Place::new();
    let secret = place.at("secret");
    fs::write(&secret, "<a/>").unwrap();
    symlink(&secret, place.at(&format!("outgoing/{NAME}"))).unwrap();
    assert_refused(&place.submit(&orders("<a/>")).await);

    // `sent` recognises the same bytes at each step, as after a drop is restored without it.
    for stops in 0.. {
        let place = Place::new();
        place.put(&format!("outgoing/{NAME}"), "<a/>");
        place.put(&format!("sent/{NAME}.part"), "<a/>");
        *place.bank.folders.disk.steps_left.lock().unwrap() = Some(stops);
        let finished = place.submit(&orders("<a/>")).await.is_ok();
        *place.bank.folders.disk.steps_left.lock().unwrap() = None;
        if place.text(&format!("sent/{NAME}.sha256")).is_some() {
            fs::remove_file(place.at(&format!("outgoing/{NAME}"))).unwrap();
            place.submit(&orders("<a/>")).await.unwrap();
            assert_eq!(
                place.text(&format!("outgoing/{NAME}")),
                None,
                "after {stops} steps"
            );
        }
        if finished {
            break;
        }
    }
}

#[tokio::test]
async fn a_crash_at_any_step_is_finished_and_not_repeated() {
    let (sum, cut) = (checksum(NAME, "<a/>"), "<");
    let (part, claim, beside) = (
        format!("sent/{NAME}.part"),
        format!("sent/{NAME}.sha256"),
        format!("outgoing/{NAME}.sha256"),
    );
    // The files after each step. From all states but the last, submitting again lays the orders
    // down.
    let steps: [&[(&str, &str)]; 6] = [
        &[("sent/next.tmp", cut)],
        &[(&part, "<a/>")],
        &[(&part, "<a/>"), ("sent/next.tmp", cut)],
        &[(&part, "<a/>"), (&claim, &sum)],
        &[(&part, "<a/>"), (&claim, &sum), ("sent/next.tmp", cut)],
        &[(&part, "<a/>"), (&claim, &sum), (&beside, &sum)],
    ];
    for step in steps {
        let place = Place::new();
        for (path, bytes) in step {
            place.put(path, bytes);
        }
        place.submit(&orders("<a/>")).await.unwrap();
        place.assert_laid_down("<a/>");
        place.submit(&orders("<a/>")).await.unwrap();
        place.assert_laid_down("<a/>");
    }
    // After the last step, when the bank was quicker than the crash.
    let place = Place::new();
    place.put(&claim, &sum);
    place.submit(&orders("<a/>")).await.unwrap();
    assert_eq!(place.names("outgoing"), Vec::<String>::new());
    assert_refused(&place.submit(&orders("<b/>")).await);
}

/// Every step of a submission is once the last before a crash, and a bank that takes whole files
/// away at once finds the orders exactly once, whatever was tried before and after.
#[tokio::test]
async fn wherever_it_stops_orders_are_found_once() {
    let found = |place: &Place| {
        let found = place.text(&format!("outgoing/{NAME}"));
        if let Some(bytes) = &found {
            assert_eq!(bytes, "<a/>");
            let beside = place.text(&format!("outgoing/{NAME}.sha256"));
            assert_eq!(beside, Some(checksum(NAME, "<a/>")));
            place.taken_by_the_bank();
        }
        usize::from(found.is_some())
    };
    let mut stops = 0;
    loop {
        // A second crash at each step, while the first is repaired.
        for again in 0..=stops {
            let place = Place::new();
            let mut times = 0;
            for steps in [Some(stops), Some(again), None, None] {
                *place.bank.folders.disk.steps_left.lock().unwrap() = steps;
                let outcome = place.submit(&orders("<a/>")).await;
                let now = found(&place);
                // After `Unavailable` the caller may rely on it that nothing was taken.
                let nothing = matches!(outcome, Err(BankError::Unavailable { .. }));
                assert!(
                    !nothing || now == 0,
                    "{outcome:?} after {stops} and {again} steps"
                );
                assert!(steps.is_some() || outcome.is_ok(), "{outcome:?}");
                times += now;
            }
            assert_eq!(times, 1, "after {stops} and {again} steps");
        }
        let place = Place::new();
        *place.bank.folders.disk.steps_left.lock().unwrap() = Some(stops);
        if place.submit(&orders("<a/>")).await.is_ok() {
            break;
        }
        stops += 1;
    }
    assert!(stops > 10, "{stops}");
}

#[tokio::test]
async fn wherever_it_stops_a_report_is_taken_away_at_last() {
    let sha256 = Sha256::digest("1,paid").into();
    for stops in 0.. {
        let place = Place::new();
        place.report("a.csv", "1,paid");
        *place.bank.folders.disk.steps_left.lock().unwrap() = Some(stops);
        let finished = place.bank.acknowledge(&name("a.csv"), &sha256).await.is_ok();
        *place.bank.folders.disk.steps_left.lock().unwrap() = None;
        place.bank.acknowledge(&name("a.csv"), &sha256).await.unwrap();
        assert_eq!(place.names("incoming"), Vec::<String>::new());
        assert_eq!(place.names("taken"), ["a.csv", "a.csv.sha256"]);
        if finished {
            assert!(stops > 3, "{stops}");
            break;
        }
    }
}

#[tokio::test]
async fn before_the_claim_a_crash_binds_no_name() {
    let place = Place::new();
    place.put(&format!("sent/{NAME}.part"), "<a/>");
    place.submit(&orders("<b/>")).await.unwrap();
    place.assert_laid_down("<b/>");
}

#[tokio::test]
async fn a_memory_that_cannot_be_read_is_not_taken_for_none() {
    for memory in ["", "nonsense", &checksum("other.xml", "<a/>")] {
        let place = Place::new();
        place.put(&format!("sent/{NAME}.sha256"), memory);
        let outcome = place.submit(&orders("<a/>")).await;
        assert!(
            matches!(outcome, Err(BankError::Unavailable { .. })),
            "{outcome:?}"
        );
        assert_eq!(place.names("outgoing"), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn instances_that_lay_down_the_same_name_agree() {
    let place = Place::new();
    let instances = [(); 8].map(|()| FileDrop::open(place.root.path()).unwrap());
    let files = ["<a/>", "<b/>"].map(orders);
    let submit = |(n, bank): (usize, FileDrop)| {
        let file = files[n % 2].clone();
        tokio::spawn(async move { (n % 2, bank.submit(&file, KEY).await) })
    };
    let outcomes = join_all(instances.into_iter().enumerate().map(submit)).await;
    let outcomes = outcomes.into_iter().map(Result::unwrap).collect::<Vec<_>>();
    let winner = outcomes.iter().find(|(_, outcome)| outcome.is_ok()).unwrap().0;
    for (which, outcome) in &outcomes {
        if *which == winner {
            assert!(outcome.is_ok(), "{outcome:?}");
        } else {
            assert_refused(outcome);
        }
    }
    place.assert_laid_down(["<a/>", "<b/>"][winner]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_does_not_come_is_not_waited_for_for_ever() {
    let place = Place::new();
    let turn = place.bank.folders.turn().unwrap().unwrap();
    assert!(place.bank.folders.turn().unwrap().is_none());
    let began = Instant::now();
    let outcome = place.submit(&orders("<a/>")).await;
    assert!(
        matches!(outcome, Err(BankError::Unavailable { .. })),
        "{outcome:?}"
    );
    assert!(began.elapsed() >= TURN);
    drop(turn);
    place.submit(&orders("<a/>")).await.unwrap();
}

#[tokio::test]
async fn a_drop_that_is_gone_has_taken_nothing() {
    for missing in ["sent", "outgoing"] {
        let place = Place::new();
        fs::remove_dir_all(place.at(missing)).unwrap();
        let error = place.submit(&orders("<a/>")).await.unwrap_err();
        assert!(matches!(error, BankError::Unavailable { .. }), "{error:?}");
        assert!(!error.to_string().contains('/'), "{error}");
    }
    let place = Place::new();
    fs::remove_dir_all(place.at("incoming")).unwrap();
    let outcome = place.bank.results(None).await;
    assert!(
        matches!(outcome, Err(BankError::Unavailable { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn reports_are_handed_out_until_they_are_acknowledged() {
    let place = Place::new();
    assert_eq!(place.results(None).await.files, []);
    place.report("a.csv", "1,paid");
    place.report("b.xml", "<b/>");
    for _ in 0..2 {
        let page = place.results(None).await;
        assert_eq!(listed(&page), ["a.csv", "b.xml"]);
        assert_eq!(page.files[0].bytes(), "1,paid");
        assert_eq!(page.files[0].media_type(), "text/csv");
        assert_eq!(page.files[1].media_type(), "application/xml");
        assert_eq!(page.next, None);
    }
    let sha256 = Sha256::digest("1,paid").into();
    // Twice, as after a crash.
    for _ in 0..2 {
        place.bank.acknowledge(&name("a.csv"), &sha256).await.unwrap();
        assert_eq!(listed(&place.results(None).await), ["b.xml"]);
        assert_eq!(place.names("incoming"), ["b.xml", "b.xml.sha256"]);
        assert_eq!(place.names("taken"), ["a.csv", "a.csv.sha256"]);
    }
    assert_eq!(place.text("taken/a.csv").as_deref(), Some("1,paid"));
}

#[tokio::test]
async fn what_is_not_whole_or_no_file_is_left_lying() {
    let place = Place::new();
    let whole = checksum("x.csv", "1,paid");
    // Unfinished: no checksum, half of the bytes, a checksum of something else.
    place.put("incoming/alone.csv", "1,paid");
    place.put("incoming/half.csv", "1,p");
    place.put("incoming/half.csv.sha256", &whole.replace("x.csv", "half.csv"));
    place.put("incoming/other.csv", "1,paid");
    place.put("incoming/other.csv.sha256", &whole);
    // A checksum that is a link.
    place.put("elsewhere.sha256", &whole.replace("x.csv", "sum.csv"));
    place.put("incoming/sum.csv", "1,paid");
    symlink(place.at("elsewhere.sha256"), place.at("incoming/sum.csv.sha256")).unwrap();
    // No files.
    place.put("secret", "1,paid");
    symlink(place.at("secret"), place.at("incoming/link.csv")).unwrap();
    place.put("incoming/link.csv.sha256", &whole.replace("x.csv", "link.csv"));
    symlink(place.at("nowhere"), place.at("incoming/dangling.csv")).unwrap();
    fs::create_dir(place.at("incoming/folder")).unwrap();
    mkfifo(&place.at("incoming/pipe.csv"), Mode::S_IRWXU).unwrap();
    place.report("bad name.csv", "1,paid");
    // Too large.
    let large = fs::File::create(place.at("incoming/large.csv")).unwrap();
    large
        .set_len(u64::try_from(LARGEST_BANK_FILE + 1).unwrap())
        .unwrap();
    place.put("incoming/large.csv.sha256", &whole);
    // An unfinished file is not counted.
    place.put("incoming/.upload", "");
    place.put("incoming/b.csv.tmp", "");
    place.report("good.csv", "2,paid");

    let (page, left_lying) = place.bank.folders.reports(None).unwrap();
    assert_eq!(listed(&page), ["good.csv"]);
    let expected = LeftLying {
        unfinished: 4,
        no_files: 5,
        too_large: 1,
        unreadable: 0,
    };
    assert_eq!(left_lying, expected);

    // A report that becomes whole is handed out.
    place.put("incoming/half.csv", "1,paid");
    assert_eq!(listed(&place.results(None).await), ["good.csv", "half.csv"]);
}

#[tokio::test]
async fn a_page_has_its_bounds_and_the_next_goes_on() {
    let place = Place::new();
    let names = (0..6).map(|n| format!("{n}.csv")).collect::<Vec<_>>();
    for name in &names {
        place.report(name, name);
    }
    let first = place.results(None).await;
    assert_eq!(listed(&first), names[..RESULTS_PAGE]);
    let second = place.results(first.next.as_deref()).await;
    assert_eq!(listed(&second), names[RESULTS_PAGE..]);
    // At the end the scan begins anew, so that a report without acknowledgement keeps no other from
    // its turn.
    assert_eq!(second.next, None);

    let place = Place::new();
    let large = vec![b'x'; LARGEST_BANK_FILE - 1];
    for name in ["a.csv", "b.csv"] {
        fs::write(place.at(&format!("incoming/{name}")), &large).unwrap();
        let sum = hex::encode(Sha256::digest(&large));
        place.put(&format!("incoming/{name}.sha256"), &sum);
    }
    let first = place.results(None).await;
    assert_eq!(
        (listed(&first), first.next.as_deref()),
        (vec!["a.csv"], Some("a.csv"))
    );
    assert_eq!(listed(&place.results(first.next.as_deref()).await), ["b.csv"]);
}

#[tokio::test]
async fn many_that_are_no_reports_do_not_hide_one() {
    let place = Place::new();
    for n in 0..1_200 {
        place.put(&format!("incoming/a{n:04}"), "");
    }
    place.report("z.csv", "1,paid");
    let first = place.results(None).await;
    assert_eq!((first.files.len(), first.next.as_deref()), (0, Some("a0999")));
    let second = place.results(first.next.as_deref()).await;
    assert_eq!((listed(&second), second.next.as_deref()), (vec!["z.csv"], None));
}

#[tokio::test]
async fn only_what_was_recorded_is_taken_away() {
    let place = Place::new();
    place.report("a.csv", "1,paid");
    let first = place.results(None).await.files[0].clone();
    // The bank uses the name again before the first was acknowledged.
    place.report("a.csv", "1,failed");
    place
        .bank
        .acknowledge(first.name(), first.sha256())
        .await
        .unwrap();
    let second = place.results(None).await.files[0].clone();
    assert_eq!(second.bytes(), "1,failed");
    assert_eq!(place.names("taken"), Vec::<String>::new());

    // And once more afterwards: both are kept.
    place
        .bank
        .acknowledge(second.name(), second.sha256())
        .await
        .unwrap();
    place.report("a.csv", "2,paid");
    let third = place.results(None).await.files[0].clone();
    place
        .bank
        .acknowledge(third.name(), third.sha256())
        .await
        .unwrap();
    assert_eq!(place.text("taken/a.csv").as_deref(), Some("1,failed"));
    let other = format!("taken/a.csv.{}", hex::encode(third.sha256()));
    assert_eq!(place.text(&other).as_deref(), Some("2,paid"));
    assert_eq!(place.names("taken").len(), 4);
    assert_eq!(place.names("incoming"), Vec::<String>::new());
}

#[tokio::test]
async fn an_acknowledgement_that_broke_off_is_finished() {
    let place = Place::new();
    place.report("a.csv", "1,paid");
    fs::rename(place.at("incoming/a.csv"), place.at("taken/a.csv")).unwrap();
    let sha256 = Sha256::digest("1,paid").into();
    place.bank.acknowledge(&name("a.csv"), &sha256).await.unwrap();
    assert_eq!(place.names("incoming"), Vec::<String>::new());
    assert_eq!(place.names("taken"), ["a.csv", "a.csv.sha256"]);
    // Acknowledging a report that was never there does nothing.
    place.bank.acknowledge(&name("b.csv"), &sha256).await.unwrap();
}

#[test]
fn a_drop_is_a_folder_of_our_own() {
    let open = |prepare: fn(&Path)| {
        let root = tempfile::tempdir().unwrap();
        prepare(root.path());
        FileDrop::open(root.path()).err()
    };
    assert_eq!(open(|_| {}), None);
    assert_eq!(
        open(|root| fs::remove_dir(root).unwrap()),
        Some(NoDrop::Unusable("the drop", io::ErrorKind::NotFound))
    );
    assert_eq!(
        open(|root| fs::write(root.join("sent"), "").unwrap()),
        Some(NoDrop::NotAFolder("sent"))
    );
    assert_eq!(
        open(|root| symlink(root, root.join("incoming")).unwrap()),
        Some(NoDrop::NotAFolder("incoming"))
    );
    assert_eq!(
        open(|root| {
            fs::create_dir(root.join("incoming")).unwrap();
            fs::set_permissions(root.join("incoming"), fs::Permissions::from_mode(0o777)).unwrap();
        }),
        Some(NoDrop::OpenToAll("incoming"))
    );
}

#[test]
fn debug_shows_no_path() {
    let place = Place::new();
    let text = format!("{:?}", place.bank);
    assert!(!text.contains('/'), "{text}");
}
