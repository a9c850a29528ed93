// Package aliyun scales scaling groups of Alibaba Cloud's Auto Scaling (ESS,
// API version 2022-02-22), through the official SDK.
//
// Targets of one account and region share one client and what is read of their
// groups, a second or two old at most: hundreds of targets cost a handful of
// calls a round. What was read of a group ends with one's own request.
//
// A group either has an expected number of instances, which is set, or has
// none, and then is brought to a number by a scaling activity, of which there
// is one at a time. What became of the last request is followed in both cases.
package aliyun
