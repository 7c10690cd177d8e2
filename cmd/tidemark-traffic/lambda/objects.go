package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"tidemark/cloud/traffic/lambda"
	"tidemark/internal/fault"
)

// objects are those of S3, read with the credentials that the runtime put into
// the environment, and with no others.
type objects struct{ client *s3.Client }

func newObjects(getenv func(string) string) (*objects, error) {
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if getenv(name) == "" {
			return nil, fault.New("read the environment", fmt.Errorf("%s is not set", name), "The runtime of AWS Lambda sets it: give the function a role.")
		}
	}
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment"}, nil
	})
	endpoint := getenv("AWS_ENDPOINT_URL_S3")
	return &objects{s3.New(s3.Options{Region: getenv("AWS_REGION"), Credentials: credentials}, func(o *s3.Options) {
		if endpoint != "" {
			o.BaseEndpoint, o.UsePathStyle = aws.String(endpoint), true
		}
	})}, nil
}

// Get implements lambda.Objects.
func (o *objects) Get(ctx context.Context, bucket, key, version string) (io.ReadCloser, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(key)}
	if version != "" {
		in.VersionId = aws.String(version)
	}
	out, err := o.client.GetObject(ctx, in)
	var missing *types.NoSuchKey
	var answer *awshttp.ResponseError
	if errors.As(err, &missing) || errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound {
		return nil, lambda.ErrGone
	}
	if err != nil {
		return nil, fault.New("read "+bucket+"/"+key, err, "The function's role needs s3:GetObject on the bucket.")
	}
	return out.Body, nil
}
