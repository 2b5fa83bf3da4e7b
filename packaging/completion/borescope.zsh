#compdef @PROGRAMS@
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# zsh completion of Borescope's programs: they themselves say what may come, by their tables of options
# (libcommon/run/complete.h). Installed as _borescope in a directory of fpath; @PROGRAMS@ has become
# the names of all.

_borescope() {
	local -a given open_words open_about done_words done_about
	local line word about shell_names tab=$'\t'
	local -x PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

	# Without quotes, up to the cursor.
	given=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
	for line in "${(@f)$(_call_program candidates "${(q)words[1]}" --complete "${(@q)given}" 2>/dev/null)}"; do
		[[ -n $line ]] || continue
		if [[ $line == :(files|dirs) ]]; then
			shell_names=$line
			continue
		fi
		word=${line%%$tab*}
		about=$word
		[[ $line == *$tab* ]] && about="$word  -- ${line#*$tab}"
		if [[ $word == *[/=] ]]; then
			open_words+=("$word") open_about+=("$about")
		else
			done_words+=("$word") done_about+=("$about")
		fi
	done
	(( $#open_words )) && compadd -S '' -l -d open_about -a open_words
	(( $#done_words )) && compadd -l -d done_about -a done_words
	if [[ -n $shell_names ]]; then
		[[ $PREFIX == --*=* ]] && compset -P '*='
		[[ $shell_names == :dirs ]] && _files -/ || _files
	fi
}

_borescope "$@"
