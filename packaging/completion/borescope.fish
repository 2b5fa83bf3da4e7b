# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# fish completion of Borescope's programs: they themselves say what may come, by their tables of options
# (libcommon/run/complete.h). fish reads a file of a command's name when that is wanted: each is a link
# to this one.

function __borescope_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -lx PATH $PATH /usr/sbin /sbin /usr/local/sbin
    # fish gives the word as it is typed: quotes and all
    set word (string unescape -- $word; or string replace -r '^[\'"]' '' -- $word)
    for line in ($words[1] --complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case ':files'
                set -l before (string match -r '^--[^=]*=' -- "$word")
                printf "$before%s\n" (__fish_complete_path (string replace -- "$before" '' "$word"))
            case ':dirs'
                set -l before (string match -r '^--[^=]*=' -- "$word")
                printf "$before%s\n" (__fish_complete_directories (string replace -- "$before" '' "$word") '')
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c (string replace -r '\.fish$' '' (status basename)) -f -a '(__borescope_complete)'
