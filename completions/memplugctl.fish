# SPDX-License-Identifier: MIT
# Completes memplugctl in fish. Knows neither verbs nor options: it asks memplugctl for its help, and
# for what is unplugged and which nodes there are.

# The verb on the command line so far, and what comes after quarantine.
function __memplugctl_verb
    set -l words (commandline -opc)
    set -e words[1]
    set -l verb
    set -l previous ''
    for word in $words
        if string match -q -- '-*' $word; or test "$previous" = --device
            set previous $word
            continue
        end
        if test (count $verb) -eq 0
            set verb $word
        else if test (count $verb) -eq 1 -a "$verb[1]" = quarantine
            set -a verb $word
        end
    end
    test -n "$verb"; and printf '%s\n' $verb
end

# __memplugctl_section NAME VERB...: the entries of a section of its help, with what they mean.
function __memplugctl_section
    set -l section $argv[1]
    memplugctl $argv[2..-1] --help 2>/dev/null | awk -v section="$section:" '
        /^[A-Z][a-z]+:$/ { inside = $0 == section; next }
        /^[^ ]/ { inside = 0 }
        inside && /^  [^ ]/ {
            text = $0
            sub(/^ +[^ ]+ */, "", text)
            count = split($1, names, ",")
            for (i = 1; i <= count; i++) print names[i] "\t" text
        }'
end

function __memplugctl_complete
    set -l verb (__memplugctl_verb)
    set -l current (commandline -ct)
    if string match -q -- '-*' $current
        __memplugctl_section Options $verb
        __memplugctl_section Options
        return
    end
    switch "$verb"
        case '' quarantine
            __memplugctl_section Subcommands $verb
        case plug explain test 'quarantine remove'
            memplugctl --quiet list 2>/dev/null | awk '/^0x/ { print $1 }'
        case target
            echo none
    end
end

complete -c memplugctl -f -a '(__memplugctl_complete)'
complete -c memplugctl -l device -r -F
complete -c memplugctl -l svg -r -F -n 'contains map (__memplugctl_verb)'
complete -c memplugctl -l resume -r -F -n 'contains test (__memplugctl_verb)'
complete -c memplugctl -l file -r -F -n 'contains quarantine (__memplugctl_verb); or contains test (__memplugctl_verb)'
complete -c memplugctl -l node -x -a "(memplugctl status --json 2>/dev/null | sed -n 's/.*\"node\":\([0-9]*\),\"managed.*/\1/p')"
complete -c memplugctl -l zone -x -a 'normal dma32' -n 'contains unplug (__memplugctl_verb); or contains hold (__memplugctl_verb); or contains scan (__memplugctl_verb)'
