m31r logs -w 'level>=ERROR adn step>3' --text
