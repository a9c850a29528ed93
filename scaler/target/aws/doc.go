// Package aws scales Auto Scaling groups of EC2 instances and services of ECS,
// through the AWS SDK for Go.
package aws
