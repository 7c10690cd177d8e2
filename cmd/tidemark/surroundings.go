package main

import "tidemark/agent/config"

// surroundings are what the service has around its agent: log and listeners.
type surroundings struct {
	log       *serviceLog
	listeners *listeners
}

// nextSurroundings are what they are about to become.
type nextSurroundings struct {
	log       *nextLog
	listeners *nextListeners
}

// prepare opens what another configuration asks for. Nothing has changed
// until become; drop takes it back.
func (s *surroundings) prepare(c *config.Config) (*nextSurroundings, error) {
	log, err := s.log.prepare(c.Log)
	if err != nil {
		return nil, err
	}
	listeners, err := s.listeners.prepare(c)
	if err != nil {
		log.drop()
		return nil, err
	}
	return &nextSurroundings{log, listeners}, nil
}

func (n *nextSurroundings) drop() {
	if n == nil {
		return
	}
	n.log.drop()
	n.listeners.drop()
}

func (s *surroundings) become(n *nextSurroundings) {
	s.log.become(n.log)
	s.listeners.become(n.listeners)
}
