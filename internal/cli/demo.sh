# A program as a destination: the event's body is on its stdin, and what else
# there is to know in variables such as these.
echo "route $TENTERHOOK_ROUTE: $TENTERHOOK_EVENT_TYPE, $(($(wc -c))) bytes"
