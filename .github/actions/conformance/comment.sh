#!/usr/bin/env bash
# Post a report as the comment of a pull request, or update the comment that has the same first line.
# Usage: comment.sh FILE; needs gh, GH_TOKEN (pull-requests: write), GITHUB_REPOSITORY and PULL_REQUEST.
set -euo pipefail
file=$1
marker=$(head -n 1 "$file")
issues="repos/$GITHUB_REPOSITORY/issues"
id=$(MARKER=$marker gh api --paginate "$issues/$PULL_REQUEST/comments" \
  --jq '.[] | select(.body | startswith(env.MARKER)) | .id' | head -n 1)
if [ -n "$id" ]; then
  gh api --method PATCH "$issues/comments/$id" --field "body=@$file" --silent
else
  gh api --method POST "$issues/$PULL_REQUEST/comments" --field "body=@$file" --silent
fi
