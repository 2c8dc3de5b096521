/// A place for one message.
#[derive(Default)]
pub struct Slot {
    message: Option<String>,
}

impl Slot {
    /// Puts a message in and gives back the one that was there.
    pub fn put(&mut self, message: String) -> Option<String> {
        self.message.replace(message)
    }

    /// Takes the message out without copying it; the slot is empty then.
    pub fn take(&mut self) -> Option<String> {
