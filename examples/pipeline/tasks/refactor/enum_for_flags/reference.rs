        match self {
            Job::Waiting => Job::Running,
            Job::Running | Job::Done => Job::Done,
        }
    }
}
