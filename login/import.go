package login

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// ImportedUser is one user of a file of users.
type ImportedUser struct {
	// User has either Password (in clear) or PasswordHash.
	User inventory.User
	// Groups are the groups that ocpasswd names; they are ocserv's and need not be tunnel groups here.
	Groups []string
	Line   int // 1-based
}

// maxImportLine is the longest line of a file of users, in bytes.
const maxImportLine = 64 << 10

// ParseUsersFile reads a file of users, one a line, in any of these forms, also mixed; empty lines and
// those that begin with # or ! are passed over:
//
//	name:password                         in clear; everything after the first colon
//	name:{ARGON2ID}$argon2id$…            or a crypt hash without {…}
//	name:group,group:$5$salt$hash         ocpasswd
//	username name password $sha512$5000$salt$hash pbkdf2 privilege 15
//	username name attributes              ASA; of the lines below it group-lock counts
//
// The error joins one error a line, each with the line's number.
func ParseUsersFile(r io.Reader) ([]ImportedUser, error) {
	p := &usersParser{lines: map[string]int{}}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxImportLine)
	for scanner.Scan() {
		p.number++
		if err := p.line(scanner.Text()); err != nil {
			p.errs = append(p.errs, fmt.Errorf("line %d: %w", p.number, err))
		}
	}
	if err := scanner.Err(); err != nil {
		p.errs = append(p.errs, fmt.Errorf("line %d: %w", p.number+1, err))
	}
	if err := errors.Join(p.errs...); err != nil {
		return nil, err
	}
	return p.users, nil
}

type usersParser struct {
	number     int
	users      []ImportedUser
	lines      map[string]int // where each name was
	attributes string         // name of the user whose ASA attributes follow
	errs       []error
}

func (p *usersParser) line(text string) error {
	if p.attributes != "" && strings.HasPrefix(text, " ") {
		return p.attribute(strings.Fields(text))
	}
	p.attributes = ""
	if strings.TrimSpace(text) == "" || text[0] == '#' || text[0] == '!' {
		return nil
	}
	if words := strings.Fields(text); words[0] == "username" && len(words) > 1 {
		return p.asaLine(words[1:])
	}
	return p.colonLine(text)
}

// colonLine reads what has colons: our own forms and ocpasswd's.
func (p *usersParser) colonLine(text string) error {
	name, rest, ok := strings.Cut(text, ":")
	if !ok {
		return errors.New("no colon after the name; write name:password")
	}
	user := ImportedUser{User: inventory.User{Name: name}}
	if groups, stored, ok := strings.Cut(rest, ":"); ok && hashLike.MatchString(strings.TrimLeft(stored, "!")) {
		if strings.HasPrefix(stored, "!") {
			return fmt.Errorf("user %q is locked; take the line out, or unlock with ocpasswd -u", name)
		}
		user.Groups = ocpasswdGroups(groups)
		rest = stored
	}
	var err error
	user.User.Password, user.User.PasswordHash, err = passwordOrHash(rest)
	if err != nil {
		return err
	}
	return p.add(user)
}

// ocpasswdGroups returns the groups of an ocpasswd line; * stands for none.
func ocpasswdGroups(field string) (groups []string) {
	for group := range strings.SplitSeq(field, ",") {
		if group != "" && group != "*" {
			groups = append(groups, group)
		}
	}
	return groups
}

var (
	// hashLike matches what can only be meant as a hash.
	hashLike = regexp.MustCompile(`^\$[0-9a-z-]{1,16}\$.*\$`)
	scheme   = regexp.MustCompile(`^\{[0-9A-Z.-]+\}`)
)

func passwordOrHash(text string) (password, stored secret.String, err error) {
	if name := scheme.FindString(text); name != "" {
		if name != "{ARGON2ID}" {
			return password, stored, fmt.Errorf("hashes of the scheme %s are not known; {ARGON2ID} is", name)
		}
		text = text[len(name):]
	} else if !hashLike.MatchString(text) {
		switch {
		case text == "":
			return password, stored, errors.New("no password after the colon")
		case len(text) > maxPassword:
			return password, stored, fmt.Errorf("a password of %d bytes; at most %d are allowed", len(text), maxPassword)
		}
		return secret.New(text), stored, nil
	}
	_, err = parseHash(text)
	return password, secret.New(text), err
}

// asaLine reads what follows the word username.
func (p *usersParser) asaLine(words []string) error {
	switch {
	case len(words) == 2 && words[1] == "attributes":
		p.attributes = words[0]
		return nil
	case len(words) < 4 || words[1] != "password":
		return errors.New("want username NAME password HASH pbkdf2")
	case words[3] != "pbkdf2":
		return fmt.Errorf("the ASA's password is %q, only pbkdf2 can be taken over: set it anew on the ASA (9.7 or later) and export again", words[3])
	case strings.Trim(words[2], "*") == "":
		return errors.New("the ASA has hidden the hash: use more system:running-config")
	}
	if _, err := parseASA(words[2]); err != nil {
		return err
	}
	return p.add(ImportedUser{User: inventory.User{Name: words[0], PasswordHash: secret.New(words[2])}})
}

// attribute reads one line of an ASA user's attributes.
func (p *usersParser) attribute(words []string) error {
	if len(words) != 3 || words[0] != "group-lock" || words[1] != "value" {
		return nil
	}
	for i := range p.users {
		if p.users[i].User.Name == p.attributes {
			p.users[i].User.GroupLock = words[2]
			return nil
		}
	}
	return fmt.Errorf("attributes of user %q, who has no password line above", p.attributes)
}

func (p *usersParser) add(user ImportedUser) error {
	name := user.User.Name
	if name == "" {
		return errors.New("no name before the colon")
	}
	if first, ok := p.lines[name]; ok {
		return fmt.Errorf("user %q stands already on line %d", name, first)
	}
	p.lines[name] = p.number
	user.Line = p.number
	p.users = append(p.users, user)
	return nil
}
