#[test]
fn jobs_advance() {
    let job = Job::Waiting.advance();
    assert_eq!(job, Job::Running);
    assert_eq!(job.advance(), Job::Done);
    assert_eq!(job.advance().advance(), Job::Done);
}
