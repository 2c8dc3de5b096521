        self.message.take()
    }
}
