# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#
# bash completion of Borescope's programs: they themselves say what may come, by their tables of options
# (libcommon/run/complete.h). bash-completion reads a file of a command's name when that is wanted:
# each is a link to this one.

# The command line up to the cursor, into the array words: without quotes. $open becomes the quote that
# is still open, and $stays what of the last word bash leaves as it is: it takes = and : for the end
# of a word.
__borescope_split() {
	local line=${COMP_LINE:0:COMP_POINT} char escaped= i any=

	words=() word= open= stays=
	for ((i = 0; i < ${#line}; i++)); do
		char=${line:i:1}
		if [[ $escaped ]]; then
			word+=$char escaped= any=1
		elif [[ $char == \\ && $open != \' ]]; then
			escaped=1
		elif [[ $open && $char == "$open" ]]; then
			open=
		elif [[ ! $open && $char == [\'\"] ]]; then
			open=$char stays=$word any=1
		elif [[ ! $open && $char == [[:space:]] ]]; then
			[[ $any ]] && words+=("$word")
			word= stays= any=
		else
			word+=$char any=1
			[[ ! $open && $char == [=:] && $COMP_WORDBREAKS == *"$char"* ]] && stays=$word
		fi
	done
	words+=("$word")
}

# As it has to stand on the command line.
__borescope_quote() {
	local special

	case $open in
	\') quoted=${1//\'/\'\\\'\'} ;;
	\")
		quoted=${1//\\/\\\\}
		for special in '$' '`' '"'; do
			quoted=${quoted//"$special"/\\"$special"}
		done
		;;
	*) printf -v quoted %q "$1" ;;
	esac
}

_borescope() {
	local words word open stays line quoted tab=$'\t'
	local PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

	COMPREPLY=()
	__borescope_split
	while [[ ${words[0]} == [A-Za-z_]*=* ]]; do
		words=("${words[@]:1}")
	done
	while IFS= read -r line; do
		case $line in
		:files | :dirs)
			word=${word#"$stays"}
			compopt -o filenames
			if [[ $line == :dirs ]]; then
				mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$word")
			else
				mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
			fi
			;;
		*)
			line=${line%%"$tab"*}
			[[ $line == *[/=] ]] && compopt -o nospace
			__borescope_quote "${line#"$stays"}"
			COMPREPLY+=("$quoted")
			;;
		esac
	done < <("$1" --complete "${words[@]:1}" 2>/dev/null)
}

complete -F _borescope "${BASH_SOURCE[0]##*/}"
