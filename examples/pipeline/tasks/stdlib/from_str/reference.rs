        let (major, minor) = text.split_once('.').ok_or_else(|| format!("no dot in {text}"))?;
        let number = |word: &str| word.parse::<u32>().map_err(|e| format!("{word}: {e}"));
        Ok(Version { major: number(major)?, minor: number(minor)? })
    }
}
