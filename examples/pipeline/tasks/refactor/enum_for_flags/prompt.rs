// Two flags of which only three of four pairs make sense:
//
//     pub struct Job { pub started: bool, pub done: bool }
//
// One enum takes their place:
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    Waiting,
    Running,
    Done,
}

impl Job {
    /// The state that comes next; what is done stays so.
    pub fn advance(self) -> Job {
